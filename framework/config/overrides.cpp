#include "framework/config/overrides.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/config/toml_file.hpp"

namespace retort::host::config {
namespace {

constexpr size_t kDeepestPath = 16;

/// What may be one table or a list of them: [0] of the one is itself.
constexpr std::array kTablesOrLists = {"teacher", "student"};

/// One part of a path: a key, or a position in a list ("[0]", or "0" where the tree has a list).
struct Segment {
  std::string text;
  bool position = false;
  size_t offset = 0;  // in the path
};

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 7 &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// Reads one key, bare or in double quotes, from the front of the path; "" where there is none.
std::string take_key(std::string_view& path) {
  if (!path.empty() && path.front() == '"') {
    const size_t end = path.find('"', 1);
    if (end == std::string_view::npos) return "";
    std::string key(path.substr(1, end - 1));
    path.remove_prefix(end + 1);
    return key;
  }
  const size_t end = std::min(path.find_first_of(".["), path.size());
  std::string key(path.substr(0, end));
  path.remove_prefix(end);
  return key;
}

/// Splits transfer[0]."a.b".c; empty where the path is malformed, and then `wrong` is where.
std::vector<Segment> split(const std::string& text, size_t& wrong) {
  std::string_view path = text;
  std::vector<Segment> segments;
  while (true) {
    wrong = text.size() - path.size();
    std::string key = take_key(path);
    if (key.empty()) return {};
    segments.push_back({std::move(key), false, wrong});
    while (!path.empty() && path.front() == '[') {
      wrong = text.size() - path.size();
      const size_t end = path.find(']');
      if (end == std::string_view::npos || !is_number(path.substr(1, end - 1))) return {};
      segments.push_back({std::string(path.substr(1, end - 1)), true, wrong});
      path.remove_prefix(end + 1);
    }
    if (segments.size() > kDeepestPath) return {};
    if (path.empty()) return segments;
    wrong = text.size() - path.size();
    if (path.front() != '.') return {};
    path.remove_prefix(1);
  }
}

/// The `=` that ends the path: the first one outside quotes.
size_t find_equals(std::string_view text) {
  bool in_quotes = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_quotes = !in_quotes;
    if (text[i] == '=' && !in_quotes) return i;
  }
  return std::string_view::npos;
}

Place moved(Place place, size_t offset) {
  place.column += static_cast<uint32_t>(offset);
  return place;
}

/// Moves the places of a value, which parse_toml_value counts from its text, to the override, where
/// the text begins at `start`. A value of several lines is placed at its start.
void set_place(Node& node, const Place& start) {
  for (Place* place : {&node.place, &node.key_place}) {
    *place = moved(start, place->line == 1 ? place->column - 1 : 0);
  }
  for (Node& item : node.items) set_place(item, start);
}

std::optional<Node> read_value(const std::string& text) {
  std::optional<Node> value = parse_toml_value(text);
  const bool is_word = !text.empty() && text.find_first_of("[]{}\"'\n") == std::string::npos;
  if ((!value && is_word) || (value && value->is(Node::Kind::Date))) {
    value.emplace();
    value->kind = Node::Kind::Text;
    value->text = text;
  }
  return value;
}

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return text;
}

/// The node that a segment leads to, made where a table lacks it; null after a mistake.
Node* step_into(Node& parent, const Segment& segment, const std::string& path, const Place& place,
                Diagnostics& diagnostics) {
  if (parent.is(Node::Kind::List) && (segment.position || is_number(segment.text))) {
    size_t position = 0;
    std::from_chars(segment.text.data(), segment.text.data() + segment.text.size(), position);
    if (position < parent.items.size()) return &parent.items[position];
    const size_t count = parent.items.size();
    diagnostics.add(place, path + "[" + segment.text + "]",
                    count == 0 ? "the list is empty"
                               : "there are " + std::to_string(count) + ", counted from 0");
    return nullptr;
  }
  const bool one_of_one =
      parent.is(Node::Kind::Table) && segment.position && segment.text == "0" &&
      std::find(kTablesOrLists.begin(), kTablesOrLists.end(), path) != kTablesOrLists.end();
  if (one_of_one) return &parent;
  if (!parent.is(Node::Kind::Table) || segment.position) {
    const bool list = parent.is(Node::Kind::List);
    diagnostics.add(place, path,
                    std::string("is ") + describe(parent.kind) +
                        (list ? "; name an entry: " + path + "[0]"
                              : ", which has no \"" + segment.text + "\""));
    return nullptr;
  }
  if (Node* found = parent.find(segment.text)) return found;
  Node made;
  made.key = segment.text;
  made.place = place;
  made.key_place = place;
  parent.items.push_back(std::move(made));
  return &parent.items.back();
}

/// The node that a path leads to, made where it is not there; null after a mistake. The path begins
/// at `start`, and `place` becomes that of its last part.
Node* walk(Node& tree, const std::vector<Segment>& segments, const Place& start, Place& place,
           Diagnostics& diagnostics) {
  Node* target = &tree;
  std::string path;
  for (const Segment& segment : segments) {
    place = moved(start, segment.offset);
    target = step_into(*target, segment, path, place, diagnostics);
    if (target == nullptr) return nullptr;
    if (segment.position) {
      path += "[" + segment.text + "]";
    } else {
      if (!path.empty()) path += '.';
      path += key_text(segment.text);
    }
  }
  return target;
}

}  // namespace

void apply_override(Node& tree, const std::string& override_text, Diagnostics& diagnostics) {
  const Place start{"command line: " + printable(override_text), 0, 1};
  const size_t equals = find_equals(override_text);
  if (equals == std::string::npos) {
    diagnostics.add(moved(start, override_text.size()), "", "not KEY=VALUE, as in train.epochs=3");
    return;
  }
  const size_t key_at = std::min(override_text.find_first_not_of(" \t"), equals);
  size_t wrong = 0;
  const std::vector<Segment> segments = split(trimmed(override_text.substr(0, equals)), wrong);
  if (segments.empty()) {
    diagnostics.add(moved(start, key_at + wrong), "",
                    "not a key before \"=\"; write it as in transfer[0].temperature=2");
    return;
  }
  if (segments.front().text == "extends") {
    diagnostics.add(start, "extends", "belongs in a file, not on the command line");
    return;
  }
  const size_t value_at =
      std::min(override_text.find_first_not_of(" \t", equals + 1), override_text.size());
  std::optional<Node> value = read_value(trimmed(override_text.substr(equals + 1)));
  if (!value) {
    diagnostics.add(moved(start, value_at), "",
                    "not a TOML value after \"=\" (quote it for the shell too: 'a=[\"x\"]')");
    return;
  }
  Place place;
  Node* target = walk(tree, segments, moved(start, key_at), place, diagnostics);
  if (target == nullptr) return;
  set_place(*value, moved(start, value_at));
  value->key = target->key;
  value->key_place = place;
  *target = std::move(*value);
}

std::string write_override_path(const std::string& path) {
  size_t wrong = 0;
  const std::vector<Segment> segments = split(path, wrong);
  if (segments.empty()) return path;
  std::string text;
  for (const Segment& segment : segments) {
    if (segment.position || is_number(segment.text)) {
      text += "[" + segment.text + "]";
    } else {
      text += (text.empty() ? "" : ".") + key_text(segment.text);
    }
  }
  return text;
}

}  // namespace retort::host::config
