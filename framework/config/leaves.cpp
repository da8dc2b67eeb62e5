#include "framework/config/leaves.hpp"

#include <algorithm>
#include <utility>

namespace retort::host::config {
namespace {

void add_leaves(const Node& node, const std::string& path, std::vector<Leaf>& leaves) {
  const bool is_table = node.is(Node::Kind::Table);
  const bool has_tables =
      node.is(Node::Kind::List) && !node.items.empty() && node.items.front().is(Node::Kind::Table);
  if (!is_table && !has_tables) {
    leaves.push_back({node.place, path, toml_text(node)});
    return;
  }
  for (size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = node.items[i];
    const std::string key =
        is_table ? (path.empty() ? "" : ".") + key_text(item.key) : "[" + std::to_string(i) + "]";
    add_leaves(item, path + key, leaves);
  }
}

}  // namespace

std::vector<Leaf> find_leaves(const Node& tree) {
  std::vector<Leaf> leaves;
  add_leaves(tree, "", leaves);
  std::stable_sort(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  return leaves;
}

}  // namespace retort::host::config
