#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/place.hpp"

namespace retort::host::config {

/// A value of the experiment file with its place: what toml++ read, without toml++ (whose header
/// takes seconds).
struct Node {
  enum class Kind { Boolean, Integer, Real, Text, Date, List, Table };

  Kind kind = Kind::Table;
  Place place;
  std::string key;  // its name in the table that holds it
  Place key_place;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;         // Text; Date: as written
  std::vector<Node> items;  // List, Table

  const Node* find(std::string_view name) const;
  Node* find(std::string_view name);
  /// The value at "data.batch_size", or null.
  const Node* find_path(std::string_view path) const;
  Node* find_path(std::string_view path);
  bool is(Kind wanted) const { return kind == wanted; }
};

/// "an integer", "a list", ...
const char* describe(Node::Kind kind);

/// A path with the value found, as messages name it: `train.epochs = 0`, `data.dataset "mnits"`.
std::string subject(const std::string& path, const Node& value);

/// A text as TOML writes it: in quotes, with escapes.
std::string quote_text(std::string_view text);
/// A key as TOML writes it: bare where that is possible.
std::string key_text(std::string_view key);
/// The shortest text that reads back to the same number.
std::string real_text(double value);

/// A value as TOML writes it, on one line.
std::string toml_text(const Node& node);

}  // namespace retort::host::config
