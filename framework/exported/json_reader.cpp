#include "framework/exported/json_reader.hpp"

#include <cmath>
#include <limits>

#include "framework/base/error.hpp"
#include "framework/io/json_fields.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host::exported {
namespace {

using nlohmann::json;

constexpr int kMostLevels = 64;
constexpr const char* kRemedy =
    "; export the network again with torch 2.11 to 2.14 (docs/bring_your_network.md)";

}  // namespace

void JsonReader::refuse(const std::string& what) const {
  throw DataError(where_ + ": " + safe_line(what) + kRemedy);
}

bool JsonReader::has(const char* key) const {
  if (!value_.is_object()) refuse("is no object");
  const auto found = value_.find(key);
  return found != value_.end() && !found->is_null();
}

JsonReader JsonReader::at(const char* key) const {
  if (!has(key)) refuse("has no \"" + std::string(key) + "\"");
  return {*value_.find(key), where_ + "." + key};
}

size_t JsonReader::size() const {
  if (!value_.is_array()) refuse("is no list");
  return value_.size();
}

JsonReader JsonReader::entry(size_t position) const {
  if (position >= size()) refuse("has no entry " + std::to_string(position));
  return {value_[position], where_ + "[" + std::to_string(position) + "]"};
}

std::string JsonReader::tag() const {
  if (!value_.is_object() || value_.size() != 1) refuse("is no object of one entry");
  return value_.begin().key();
}

std::string JsonReader::text() const {
  if (!value_.is_string()) refuse("is no text");
  return value_.get<std::string>();
}

int64_t JsonReader::integer() const {
  const bool fits = value_.is_number_integer() &&
                    !(value_.is_number_unsigned() && value_.get<uint64_t>() > INT64_MAX);
  if (!fits) refuse("is no whole number");
  return value_.get<int64_t>();
}

bool JsonReader::boolean() const {
  if (!value_.is_boolean()) refuse("is neither true nor false");
  return value_.get<bool>();
}

double JsonReader::real() const {
  if (value_.is_number()) return value_.get<double>();
  const std::string word = text();
  if (word == "Infinity") return std::numeric_limits<double>::infinity();
  if (word == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (word != "NaN") refuse("\"" + word + "\" is no number");
  return std::numeric_limits<double>::quiet_NaN();
}

json parse_export(std::string_view text, const std::string& where) {
  return parse_foreign_object(text, where, {kMostLevels, kRemedy});
}

}  // namespace retort::host::exported
