#include "framework/config/load_tree.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "framework/config/keys/train.hpp"
#include "framework/config/overrides.hpp"
#include "framework/config/toml_file.hpp"

namespace retort::host::config {
namespace {

namespace fs = std::filesystem;

bool has_short_form(const Node& node) {
  return std::find(kNamedTables.begin(), kNamedTables.end(), node.key) != kNamedTables.end();
}

/// Writes optimizer = "sgd" and schedule = "cosine" of a train table as tables.
void expand_short_forms(Node* train) {
  if (train == nullptr || !train->is(Node::Kind::Table)) return;
  for (Node& node : train->items) {
    if (!has_short_form(node) || !node.is(Node::Kind::Text)) continue;
    Node table;
    table.key = node.key;
    table.key_place = node.key_place;
    table.place = node.place;
    node.key = "name";
    table.items.push_back(std::move(node));
    node = std::move(table);
  }
}

void expand_short_forms_of_all(Node& tree) {
  expand_short_forms(tree.find("train"));
  for (const char* key : kTrainOwners) {
    Node* owner = tree.find(key);
    if (owner == nullptr) continue;
    expand_short_forms(owner->find("train"));
    if (!owner->is(Node::Kind::List)) continue;
    for (Node& item : owner->items) expand_short_forms(item.find("train"));
  }
}

bool names_another(const Node& base, const Node& top) {
  const Node* below = base.find("name");
  const Node* above = top.find("name");
  return has_short_form(top) && below != nullptr && above != nullptr && below->text != above->text;
}

void merge(Node& base, Node top) {
  const bool tables = base.is(Node::Kind::Table) && top.is(Node::Kind::Table);
  if (!tables || names_another(base, top)) {
    base = std::move(top);
    return;
  }
  base.place = top.place;
  base.key_place = top.key_place;
  for (Node& item : top.items) {
    if (Node* below = base.find(item.key)) {
      merge(*below, std::move(item));
    } else {
      base.items.push_back(std::move(item));
    }
  }
}

std::string circle(const std::vector<fs::path>& chain, const fs::path& file) {
  std::string text;
  for (const fs::path& link : chain) text += link.filename().string() + " -> ";
  return text + file.filename().string();
}

/// Reads `file` over what it extends. `chain` holds the files on the way here; `named_at` and
/// `named_as` are where and how the last of them names this one.
std::optional<Node> read_with_base(const fs::path& file, std::vector<fs::path> chain,
                                   const Place& named_at, const std::string& named_as,
                                   Diagnostics& diagnostics) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(file, error);
  if (std::find(chain.begin(), chain.end(), canonical) != chain.end()) {
    diagnostics.add(named_at, named_as, "goes in a circle: " + circle(chain, canonical));
    return std::nullopt;
  }
  std::string text;
  if (const std::string problem = read_text_file(file, text); !problem.empty()) {
    diagnostics.add(named_at, named_as, problem);
    return std::nullopt;
  }
  std::optional<Node> tree = parse_toml(text, file.string(), diagnostics);
  if (!tree) return std::nullopt;
  tree->place = {file.string(), 0, 0};
  expand_short_forms_of_all(*tree);
  const Node* extends = tree->find("extends");
  if (extends == nullptr) return tree;
  if (!extends->is(Node::Kind::Text) || extends->text.empty()) {
    diagnostics.add(extends->place, subject("extends", *extends),
                    "must be the path of another experiment file");
    return std::nullopt;
  }
  chain.push_back(canonical);
  const fs::path below = (file.parent_path() / extends->text).lexically_normal();
  std::optional<Node> base = read_with_base(below, std::move(chain), extends->place,
                                            subject("extends", *extends), diagnostics);
  if (!base) return std::nullopt;
  std::erase_if(tree->items, [](const Node& item) { return item.key == "extends"; });
  merge(*base, std::move(*tree));
  return base;
}

}  // namespace

std::optional<Node> load_tree(const fs::path& file, const std::vector<std::string>& overrides,
                              Diagnostics& diagnostics) {
  std::optional<Node> tree = read_with_base(file, {}, {file.string(), 0, 0}, "", diagnostics);
  if (!tree) return std::nullopt;
  for (const std::string& text : overrides) override_tree(*tree, text, diagnostics);
  return tree;
}

void override_tree(Node& tree, const std::string& text, Diagnostics& diagnostics) {
  apply_override(tree, text, diagnostics);
  expand_short_forms_of_all(tree);
}

}  // namespace retort::host::config
