#pragma once

#include <string>
#include <vector>

#include "framework/base/value.hpp"

namespace retort::host::config {

// What the writers of the sections put a resolved experiment together from. All of it is TOML.

/// A number, true or false, or a text in quotes.
std::string write_value(const OptionValue& value);

/// "[a, b]" and "{ a, b }" of what is TOML already.
std::string write_brackets(const std::vector<std::string>& values);
std::string write_braces(const std::vector<std::string>& entries);

/// "[0.9, 0.999]".
template <class Value>
std::string write_list(const std::vector<Value>& values) {
  std::vector<std::string> texts;
  for (const Value& value : values) texts.push_back(write_value(value));
  return write_brackets(texts);
}

/// "key = value", as in a table in braces; as a line. The value is TOML already.
std::string write_entry(const std::string& key, const std::string& value);
std::string write_line(const std::string& key, const std::string& value);

}  // namespace retort::host::config
