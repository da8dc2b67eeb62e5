#include "tests/benchmarks/strategies/direct.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/linear.h>

namespace retort::bench {

at::Tensor Own::optional(const std::string& name) const {
  const host::Parameter* const found = rig_.parameters().find(name);
  return found == nullptr ? at::Tensor() : found->master;
}

Layer Own::conv(const std::string& name, int64_t padding) const {
  return [weight = tensor(name + ".weight"), bias = optional(name + ".bias"),
          padding](const at::Tensor& x) { return at::conv2d(x, weight, bias, 1, padding); };
}

Layer Own::conv_transpose(const std::string& name, int64_t padding) const {
  return [weight = tensor(name + ".weight"), bias = optional(name + ".bias"), padding](
             const at::Tensor& x) { return at::conv_transpose2d(x, weight, bias, 1, padding); };
}

Layer Own::linear(const std::string& name) const {
  return [weight = tensor(name + ".weight"), bias = optional(name + ".bias")](const at::Tensor& x) {
    return at::linear(x, weight, bias);
  };
}

Layer Own::batch_norm(const std::string& name) const {
  return [weight = tensor(name + ".weight"), bias = tensor(name + ".bias"),
          mean = tensor(name + ".running_mean"),
          var = tensor(name + ".running_var")](const at::Tensor& x) {
    return at::batch_norm(x, weight, bias, mean, var, true, 0.1, 1e-5, false);
  };
}

at::Tensor normalize(const at::Tensor& x, int64_t dim) {
  return x / x.norm(2, {dim}, true).clamp_min(1e-12);
}

at::Tensor kl_batchmean(const at::Tensor& student, const at::Tensor& teacher) {
  return at::kl_div(student, teacher, at::Reduction::Sum, true) / student.size(0);
}

}  // namespace retort::bench
