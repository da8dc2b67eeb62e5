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

bool are_all(const std::vector<GivenName>& names, const Node& list) {
  return !names.empty() && names.size() == (list.is(Node::Kind::List) ? list.items.size() : 1);
}

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string find_known(const GivenName& given, const std::string& kind, const KnownNames& known,
                       Diagnostics& diagnostics) {
  if (is_among(known.names, given.name)) return given.name;
  if (!known.whole) return "";
  std::string meant = nearest(given.name, known.names);
  std::string what = "unknown " + kind;
  if (!meant.empty()) what += "; did you mean " + quote_text(meant) + "?";
  what += known.names.empty() ? "; there is none" : "  known: " + join(known.names);
  diagnostics.add(given.node->place, subject(given.path, *given.node), what);
  return meant;
}

bool is_misspelt(const Node& table, const std::string& key) {
  return std::any_of(table.items.begin(), table.items.end(), [&](const Node& item) {
    return item.key != key && !nearest(item.key, {key}).empty();
  });
}

bool is_unclear(const std::string& table, const std::string& key, const Diagnostics& diagnostics) {
  const std::string before = table + ".";
  const auto is_about = [&](const Mistake& mistake) {
    if (!mistake.subject.starts_with(before)) return false;
    const std::string rest = mistake.subject.substr(before.size());
    const std::string word = rest.substr(0, rest.find_first_of(".[ "));
    return word == key || (word == rest && !nearest(word, {key}).empty());
  };
  const std::vector<Mistake>& mistakes = diagnostics.mistakes();
  return std::any_of(mistakes.begin(), mistakes.end(), is_about);
}

}  // namespace retort::host::config
