#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace retort::host {

/// How deep an object from elsewhere may be, and what messages about it end with.
struct ForeignJson {
  int levels = 16;
  const char* remedy = "; restore the file or run the experiment again";
};

/// Parses a JSON object that came from elsewhere: of at most so many levels and values, so that it
/// can be walked and freed.
/// Throws: DataError that begins with `where`.
nlohmann::json parse_foreign_object(std::string_view text, const std::string& where,
                                    const ForeignJson& form = {});

/// Reads an object that came from elsewhere key by key. A key that is absent, or null, is nothing.
/// Throws: DataError with the place, the value and what is accepted.
class JsonFields {
 public:
  /// `where`, as messages begin: "runs/a/001/run.json: results[2]." The object must outlive it.
  JsonFields(const nlohmann::json& object, std::string where);

  /// Text; "" where it is absent.
  std::string text(const char* key) const;
  /// A whole number from 0; by default so small that sums of them cannot overflow.
  static constexpr int64_t kMostCount = int64_t{1} << 38;
  std::optional<int64_t> count(const char* key, int64_t most = kMostCount) const;
  std::optional<uint64_t> seed(const char* key) const;
  /// A finite number.
  std::optional<double> number(const char* key, double least, double most) const;
  /// A list of counts.
  std::vector<int64_t> counts(const char* key) const;
  /// The numbers of an object that holds nothing but numbers and nulls, in the order of its keys.
  std::vector<std::pair<std::string, double>> numbers(const char* key) const;
  /// A list; null where it is absent.
  const nlohmann::json* list(const char* key) const;
  /// An object; nothing where it is absent.
  std::optional<JsonFields> object(const char* key) const;
  /// An entry of a list that is an object, or a list of `size` counts.
  JsonFields entry(const char* key, const nlohmann::json& list, size_t at) const;
  std::vector<int64_t> row(const char* key, const nlohmann::json& list, size_t at,
                           size_t size) const;

  /// "results[2].name = 3; must be text; ...".
  [[noreturn]] void refuse(const std::string& path, const nlohmann::json& value,
                           const std::string& wanted) const;
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  const nlohmann::json* find(const char* key) const;

  const nlohmann::json* object_;
  std::string where_;
};

}  // namespace retort::host
