#include "framework/bridge/batch_norm_relu.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace retort::host {
namespace {

constexpr size_t kPeriod = 512;  // at least; short inner loops would cost more than their work

/// result = input * factor + summand, a number a channel, repeated over a period of whole pixels.
struct Affine {
  std::vector<float> factor, summand;
  int64_t period() const { return static_cast<int64_t>(factor.size()); }
};

Affine affine_of(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& running_mean,
                 const at::Tensor& running_var, double eps) {
  const auto channels = static_cast<size_t>(weight.numel());
  const float* w = weight.const_data_ptr<float>();
  const float* b = bias.const_data_ptr<float>();
  const float* mean = running_mean.const_data_ptr<float>();
  const float* var = running_var.const_data_ptr<float>();
  const size_t period = (kPeriod + channels - 1) / channels * channels;
  Affine affine{std::vector<float>(period), std::vector<float>(period)};
  for (size_t i = 0; i < period; ++i) {
    const size_t c = i % channels;
    const float inverse = 1 / std::sqrt(var[c] + static_cast<float>(eps));
    affine.factor[i] = inverse * w[c];
    affine.summand[i] = std::fma(-mean[c], affine.factor[i], b[c]);
  }
  return affine;
}

// A product and a sum are rounded once, as in LibTorch's own vector kernels. Not under TSan: g++
// instruments the code that picks a clone, which runs before TSan has started.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define RETORT_VECTORISED \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RETORT_VECTORISED
#endif

RETORT_VECTORISED void normalize(const float* __restrict in, float* __restrict out, int64_t count,
                                 const float* __restrict factor, const float* __restrict summand) {
  for (int64_t i = 0; i < count; ++i) {
    const float value = __builtin_fmaf(in[i], factor[i], summand[i]);
    out[i] = value < 0 ? 0 : value;  // a NaN stays one, as in relu
  }
}

RETORT_VECTORISED void normalize_and_add(const float* __restrict in, const float* __restrict other,
                                         float* __restrict out, int64_t count,
                                         const float* __restrict factor,
                                         const float* __restrict summand) {
  for (int64_t i = 0; i < count; ++i) {
    const float value = __builtin_fmaf(in[i], factor[i], summand[i]) + other[i];
    out[i] = value < 0 ? 0 : value;
  }
}

bool is_plain(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous();
}

bool is_rows_of_channels(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.dim() == 4 &&
         tensor.is_contiguous(at::MemoryFormat::ChannelsLast);
}

/// One pass over memory. The inputs are what the checks in batch_norm_relu let through.
at::Tensor in_one_pass(const at::Tensor& input, const Affine& affine,
                       const std::optional<at::Tensor>& other) {
  at::Tensor output = at::empty_like(input);
  const float* in = input.const_data_ptr<float>();
  const float* add = other ? other->const_data_ptr<float>() : nullptr;
  float* out = output.data_ptr<float>();
  const int64_t period = affine.period(), total = input.numel();
  const int64_t periods = (total + period - 1) / period;
  at::parallel_for(0, periods, 64, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * period; at < std::min(end * period, total); at += period) {
      const int64_t count = std::min(period, total - at);
      if (add == nullptr) {
        normalize(in + at, out + at, count, affine.factor.data(), affine.summand.data());
      } else {
        normalize_and_add(in + at, add + at, out + at, count, affine.factor.data(),
                          affine.summand.data());
      }
    }
  });
  return output;
}

at::Tensor batch_norm_relu(const at::Tensor& input, const at::Tensor& weight,
                           const at::Tensor& bias, const at::Tensor& running_mean,
                           const at::Tensor& running_var, bool training, double momentum,
                           double eps, const std::optional<at::Tensor>& other) {
  const bool one_pass =
      !training && !c10::GradMode::is_enabled() && input.numel() > 0 &&
      is_rows_of_channels(input) && is_plain(weight) && is_plain(bias) && is_plain(running_mean) &&
      is_plain(running_var) && weight.numel() == input.size(1) && bias.numel() == input.size(1) &&
      running_mean.numel() == input.size(1) && running_var.numel() == input.size(1) &&
      (!other || (is_rows_of_channels(*other) && other->sizes() == input.sizes()));
  if (one_pass)
    return in_one_pass(input, affine_of(weight, bias, running_mean, running_var, eps), other);
  at::Tensor sum =
      at::batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps,
                     /*cudnn_enabled=*/true);
  // Nobody else has the fresh tensor; neither backward pass reads what is overwritten here.
  if (other) sum = sum.sizes() == other->sizes() ? sum.add_(*other) : sum.add(*other);
  return sum.relu_();
}

}  // namespace

void register_batch_norm_relu() {
  static const torch::Library library = [] {
    torch::Library made(torch::Library::DEF, "retort", std::nullopt, __FILE__, __LINE__);
    made.def(
        "batch_norm_relu(Tensor input, Tensor weight, Tensor bias, Tensor running_mean, "
        "Tensor running_var, bool training, float momentum, float eps, Tensor? other=None) -> "
        "Tensor",
        &batch_norm_relu);
    return made;
  }();
}

}  // namespace retort::host
