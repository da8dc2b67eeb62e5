#include "framework/io/json_fields.hpp"

#include <cmath>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/io/json_text.hpp"

namespace retort::host {
namespace {

using nlohmann::json;

constexpr size_t kMostValues = size_t{1} << 24;  // 256 MiB as nlohmann holds them
constexpr ForeignJson kRunFile;

std::string value_text(const json& value) {
  constexpr size_t kLongest = 40;
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  const std::string text = json_text(value);
  return text.size() > kLongest ? std::string(cut_text(text, kLongest)) + "..." : text;
}

bool is_count(const json& value, int64_t most = JsonFields::kMostCount) {
  return value.is_number_unsigned() && value.get<uint64_t>() <= static_cast<uint64_t>(most);
}

std::string count_text(int64_t most = JsonFields::kMostCount) {
  return "a whole number from 0 to " + std::to_string(most);
}

}  // namespace

json parse_foreign_object(std::string_view text, const std::string& where,
                          const ForeignJson& form) {
  size_t values = 0;
  const auto limit = [&](int depth, json::parse_event_t, json&) {
    if (depth > form.levels || ++values > kMostValues) {
      throw DataError(where + ": holds more than " + std::to_string(form.levels) + " levels or " +
                      std::to_string(kMostValues) + " values, as nothing writes" + form.remedy);
    }
    return true;
  };
  json object = json::parse(text.begin(), text.end(), limit, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    throw DataError(where + ": \"" + safe_line(cut_text(text, 40)) + "\" is no JSON object" +
                    form.remedy);
  }
  return object;
}

JsonFields::JsonFields(const json& object, std::string where)
    : object_(&object), where_(std::move(where)) {}

void JsonFields::refuse(const std::string& path, const json& value,
                        const std::string& wanted) const {
  refuse(path + " = " + value_text(value) + "; must be " + wanted);
}

void JsonFields::refuse(const std::string& what) const {
  throw DataError(where_ + what + kRunFile.remedy);
}

const json* JsonFields::find(const char* key) const {
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

std::string JsonFields::text(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) return "";
  if (!value->is_string()) refuse(key, *value, "text");
  return value->get<std::string>();
}

std::optional<int64_t> JsonFields::count(const char* key, int64_t most) const {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!is_count(*value, most)) refuse(key, *value, count_text(most));
  return value->get<int64_t>();
}

std::optional<uint64_t> JsonFields::seed(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_unsigned()) refuse(key, *value, "a whole number from 0");
  return value->get<uint64_t>();
}

std::optional<double> JsonFields::number(const char* key, double least, double most) const {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const double number = value->is_number() ? value->get<double>() : std::nan("");
  if (!(number >= least && number <= most)) {
    refuse(key, *value, "a number from " + json_text(json(least)) + " to " + json_text(json(most)));
  }
  return number;
}

const json* JsonFields::list(const char* key) const {
  const json* value = find(key);
  if (value != nullptr && !value->is_array()) refuse(key, *value, "a list");
  return value;
}

std::vector<int64_t> JsonFields::counts(const char* key) const {
  std::vector<int64_t> counts;
  const json* values = list(key);
  for (size_t i = 0; values != nullptr && i < values->size(); ++i) {
    if (!is_count((*values)[i])) {
      refuse(key + ("[" + std::to_string(i) + "]"), (*values)[i], count_text());
    }
    counts.push_back((*values)[i].get<int64_t>());
  }
  return counts;
}

std::vector<std::pair<std::string, double>> JsonFields::numbers(const char* key) const {
  std::vector<std::pair<std::string, double>> numbers;
  const json* values = find(key);
  if (values == nullptr) return numbers;
  if (!values->is_object()) refuse(key, *values, "an object of numbers");
  for (const auto& [name, value] : values->items()) {
    if (value.is_null()) continue;
    if (!value.is_number()) refuse(key + ("." + safe_line(name)), value, "a number or null");
    numbers.emplace_back(name, value.get<double>());
  }
  return numbers;
}

std::optional<JsonFields> JsonFields::object(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) refuse(key, *value, "an object");
  return JsonFields(*value, where_ + key + ".");
}

JsonFields JsonFields::entry(const char* key, const json& list, size_t at) const {
  const std::string path = key + ("[" + std::to_string(at) + "]");
  if (!list[at].is_object()) refuse(path, list[at], "an object");
  return {list[at], where_ + path + "."};
}

std::vector<int64_t> JsonFields::row(const char* key, const json& list, size_t at,
                                     size_t size) const {
  const std::string path = key + ("[" + std::to_string(at) + "]");
  const std::string wanted = "a list of " + std::to_string(size) + ", each " + count_text();
  if (!list[at].is_array() || list[at].size() != size) refuse(path, list[at], wanted);
  std::vector<int64_t> row;
  for (const json& value : list[at]) {
    if (!is_count(value)) refuse(path, value, wanted);
    row.push_back(value.get<int64_t>());
  }
  return row;
}

}  // namespace retort::host
