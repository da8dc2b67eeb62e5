#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace retort::host::exported {

/// A value of a foreign JSON text, with its place. Every look at it checks what it is.
class JsonReader {
 public:
  /// The value must outlive it. `where` begins messages.
  JsonReader(const nlohmann::json& value, std::string where)
      : value_(value), where_(std::move(where)) {}

  /// The entry of an object. Throws: DataError where there is none.
  JsonReader at(const char* key) const;
  /// Whether the object has an entry that is not null.
  bool has(const char* key) const;
  /// The entries of a list.
  size_t size() const;
  JsonReader entry(size_t position) const;
  /// The one entry of an object, as a tagged union is written: its key.
  std::string tag() const;

  std::string text() const;
  int64_t integer() const;
  bool boolean() const;
  /// A number, or the text of one that JSON has no way to write: "Infinity", "-Infinity", "NaN".
  double real() const;
  const nlohmann::json& value() const { return value_; }

  /// "WHERE: what; export the network again ..".
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  const nlohmann::json& value_;
  std::string where_;
};

/// Parses an object of at most so many levels and values that it can be walked and freed.
/// Throws: DataError that begins with `where`.
nlohmann::json parse_export(std::string_view text, const std::string& where);

}  // namespace retort::host::exported
