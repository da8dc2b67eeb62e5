#include "framework/config/toml_writer.hpp"

#include "framework/base/suggest.hpp"
#include "framework/config/node.hpp"

namespace retort::host::config {

std::string write_value(const OptionValue& value) {
  if (const auto* real = std::get_if<double>(&value)) return real_text(*real);
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return quote_text(*text);
  return std::to_string(std::get<int64_t>(value));
}

std::string write_brackets(const std::vector<std::string>& values) {
  const std::string inside = join(values);  // named: g++ 12 warns of "[" + a temporary
  return "[" + inside + "]";
}

std::string write_braces(const std::vector<std::string>& entries) {
  const std::string inside = join(entries);
  return "{ " + inside + " }";
}

std::string write_entry(const std::string& key, const std::string& value) {
  return key + " = " + value;
}

std::string write_line(const std::string& key, const std::string& value) {
  return write_entry(key, value) + "\n";
}

}  // namespace retort::host::config
