#include "framework/train/weight_values.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/text.hpp"

namespace retort::host {
namespace {

/// The indices of the element at a row-major position.
std::vector<int64_t> indices_at(int64_t position, at::IntArrayRef sizes) {
  std::vector<int64_t> indices(sizes.size());
  for (size_t dimension = sizes.size(); dimension-- > 0;) {
    indices[dimension] = position % sizes[dimension];
    position /= sizes[dimension];
  }
  return indices;
}

/// "conv1.weight: 3 of 432 values are WHAT, the first is nan at [0, 1, 2, 0]"; "" for none.
template <class Unusable>
std::string describe_values(const std::string& name, const at::Tensor& given,
                            const at::Tensor& values, const char* what, Unusable unusable) {
  const float* data = values.const_data_ptr<float>();
  const float* end = data + values.numel();
  const float* first = std::find_if(data, end, unusable);
  if (first == end) return "";
  const int64_t position = first - data;
  // As the file has it: 1e+300 is no infinity there.
  double value = given.reshape({-1})[position].item().toDouble();
  if (std::isnan(value)) value = std::abs(value);  // printed without its sign
  return fmt::format(
      "{}: {} of {} {}, the first is {:g}{}", name, grouped(std::count_if(first, end, unusable)),
      grouped(values.numel()), what, value,
      values.dim() == 0 ? "" : " at " + shape_text(indices_at(position, values.sizes())));
}

}  // namespace

std::string describe_unusable(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  const std::string text = describe_values(name, tensor, values, "values are not finite in float32",
                                           [](float value) { return !std::isfinite(value); });
  if (!text.empty() || !name.ends_with("running_var")) return text;
  return describe_values(name, tensor, values, "variances are below 0",
                         [](float value) { return value < 0; });
}

}  // namespace retort::host
