#include "framework/train/finite.hpp"

#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <limits>

#include "framework/base/error.hpp"

namespace retort::host {

std::string find_not_finite(const std::vector<NamedTensor>& tensors) {
  std::vector<const std::string*> names;
  std::vector<at::Tensor> floats;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point() || tensor.numel() == 0) continue;
    names.push_back(&name);
    floats.push_back(tensor.detach());
  }
  if (floats.empty()) return "";
  // The largest absolute value, through which a NaN passes; a sum of squares could overflow.
  const at::Tensor largest =
      at::stack(at::_foreach_norm(floats, std::numeric_limits<double>::infinity()))
          .to(at::kCPU, at::kDouble);
  const double* values = largest.const_data_ptr<double>();
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    return "\"" + *names[i] + "\" holds " + (std::isnan(values[i]) ? "NaN" : "infinity");
  }
  return "";
}

void save_network(const std::filesystem::path& file, const ParameterSet& network,
                  const SafeMetadata& metadata) {
  const std::vector<NamedTensor> weights = named_weights(network);
  const std::string bad = find_not_finite(weights);
  if (!bad.empty()) {
    throw NonFiniteError(file.string() + ": not written: " + bad + " in the " + network.owner() +
                         kNonFiniteRemedy);
  }
  save_tensors(file, weights, metadata);
}

}  // namespace retort::host
