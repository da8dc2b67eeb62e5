#include "framework/bridge/dtype.hpp"

#include <array>
#include <utility>

namespace retort::host {
namespace {

constexpr std::array<std::pair<retort_dtype, c10::ScalarType>, 10> kTypes = {{
    {RETORT_FLOAT32, c10::ScalarType::Float},
    {RETORT_FLOAT64, c10::ScalarType::Double},
    {RETORT_FLOAT16, c10::ScalarType::Half},
    {RETORT_BFLOAT16, c10::ScalarType::BFloat16},
    {RETORT_INT64, c10::ScalarType::Long},
    {RETORT_INT32, c10::ScalarType::Int},
    {RETORT_INT16, c10::ScalarType::Short},
    {RETORT_INT8, c10::ScalarType::Char},
    {RETORT_UINT8, c10::ScalarType::Byte},
    {RETORT_BOOL, c10::ScalarType::Bool},
}};

}  // namespace

std::optional<c10::ScalarType> scalar_type_of(int64_t dtype) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) return theirs;
  }
  return std::nullopt;
}

std::optional<retort_dtype> dtype_of(c10::ScalarType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  return std::nullopt;
}

std::string dtype_text(c10::ScalarType type) {
  constexpr const char* kNames[] = {"",      "float32", "float64", "float16", "bfloat16", "int64",
                                    "int32", "int16",   "int8",    "uint8",   "bool"};
  const auto ours = dtype_of(type);
  return ours ? kNames[*ours] : c10::toString(type);
}

}  // namespace retort::host
