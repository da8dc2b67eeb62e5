#include "framework/bridge/describe_values.hpp"

#include <ATen/core/Tensor.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "framework/base/text.hpp"
#include "framework/bridge/dtype.hpp"
#include "framework/bridge/operators.hpp"

namespace retort::host {
namespace {

constexpr int64_t kMostEntries = 8;

std::string describe_tensor(const retort_value& value) {
  const at::Tensor tensor = tensor_of_value(value);
  if (!tensor.defined()) return "none";
  return dtype_text(tensor.scalar_type()) + " " + shape_text(tensor.sizes());
}

/// "[1, 2, ...]" of a list, each entry as `describe` shows it.
template <class Describe>
std::string describe_list(int64_t count, Describe&& describe) {
  std::string text = "[";
  for (int64_t i = 0; i < std::min(count, kMostEntries); ++i)
    text += (i == 0 ? "" : ", ") + describe(i);
  return text + (count > kMostEntries ? ", ...]" : "]");
}

std::string describe_value(const retort_value& value) {
  switch (value.tag) {
    case RETORT_TAG_NONE:
      return "none";
    case RETORT_TAG_TENSOR:
    case RETORT_TAG_PARAM:
      return describe_tensor(value);
    case RETORT_TAG_INT:
      return std::to_string(value.as.integer);
    case RETORT_TAG_REAL:
      return fmt::format("{}", value.as.real);
    case RETORT_TAG_BOOL:
      return value.as.integer != 0 ? "true" : "false";
    case RETORT_TAG_INTS:
      return describe_list(value.count,
                           [&](int64_t i) { return std::to_string(value.as.integers[i]); });
    case RETORT_TAG_TENSORS:
      return describe_list(value.count,
                           [&](int64_t i) { return describe_value(value.as.values[i]); });
    default:
      return "...";
  }
}

}  // namespace

std::string describe_values(const retort_value* values, int64_t count) {
  std::string text = "(";
  for (int64_t i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + describe_value(values[i]);
  return text + ")";
}

}  // namespace retort::host
