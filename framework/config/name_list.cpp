#include "framework/config/name_list.hpp"

#include <algorithm>
#include <utility>

#include "framework/base/suggest.hpp"
#include "framework/config/values.hpp"

namespace retort::host::config {

std::vector<GivenName> read_name_list(const Node& node, const std::string& path, NameForm form,
                                      Diagnostics& diagnostics) {
  const bool list = node.is(Node::Kind::List);
  const bool one = form == NameForm::OneOrList && node.is(Node::Kind::Text);
  std::vector<GivenName> names;
  if (!list && !one) {
    refuse_type(node, path,
                form == NameForm::List ? "a list of names" : "a name or a list of names", "",
                diagnostics);
    return names;
  }
  if (list && node.items.empty()) {
    diagnostics.add(node.place, path, "must have at least one name");
  }
  for (size_t i = 0; i < (list ? node.items.size() : 1); ++i) {
    const Node& item = list ? node.items[i] : node;
    GivenName given{"", list ? entry_path(path, i) : path, &item};
    if (!read_text(item, given.path, given.name, "", diagnostics)) continue;
    const bool again = std::any_of(names.begin(), names.end(), [&](const GivenName& before) {
      return before.name == given.name;
    });
    if (again) {
      diagnostics.add(item.place, subject(given.path, item), "given twice; name it once");
    } else {
      names.push_back(std::move(given));
    }
  }
  return names;
}

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string find_known(const GivenName& given, const std::string& kind,
                       const std::vector<std::string>& known, Diagnostics& diagnostics) {
  if (is_among(known, given.name)) return given.name;
  std::string meant = nearest(given.name, known);
  std::string what = "unknown " + kind;
  if (!meant.empty()) what += "; did you mean " + quote_text(meant) + "?";
  what += known.empty() ? "; there is none" : "  known: " + join(known);
  diagnostics.add(given.node->place, subject(given.path, *given.node), what);
  return meant;
}

}  // namespace retort::host::config
