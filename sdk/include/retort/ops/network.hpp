#pragma once

#include "retort/ops/pointwise.hpp"
#include "retort/ops/reduce.hpp"
#include "retort/tensor.hpp"

// Layers and losses as functions, with ATen's names, argument order and defaults.

RETORT_BEGIN_NAMESPACE

/// How a loss over elements becomes its result; ATen's numbering.
enum class Reduction : int64_t { None = 0, Mean = 1, Sum = 2 };

/// input [N, C, H, W], weight [K, C / groups, h, w] -> [N, K, H', W'].
inline Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias = {},
                     const Ints& stride = 1, const Ints& padding = 0, const Ints& dilation = 1,
                     int64_t groups = 1) {
  static const Operator op("aten::conv2d");
  return op.one({input, weight, bias, stride, padding, dilation, groups});
}
/// input [N, C, H, W], weight [C, K / groups, h, w].
inline Tensor conv_transpose2d(const Tensor& input, const Tensor& weight, const Tensor& bias = {},
                               const Ints& stride = 1, const Ints& padding = 0,
                               const Ints& output_padding = 0, int64_t groups = 1,
                               const Ints& dilation = 1) {
  static const Operator op("aten::conv_transpose2d", "input");
  return op.one({input, weight, bias, stride, padding, output_padding, groups, dilation});
}
/// input [..., in], weight [out, in] -> [..., out].
inline Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias = {}) {
  static const Operator op("aten::linear");
  return op.one({input, weight, bias});
}
/// In training the running statistics are buffers that the host updates.
inline Tensor batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias,
                         const Tensor& running_mean, const Tensor& running_var, bool training,
                         double momentum = 0.1, double eps = 1e-5) {
  static const Operator op("aten::batch_norm");
  return op.one({input, weight, bias, running_mean, running_var, training, momentum, eps, true});
}
/// relu(batch_norm(input) + other), where `other` may be undefined: the host's own operator, with the
/// bits of the three. In evaluation it passes over memory once.
inline Tensor batch_norm_relu(const Tensor& input, const Tensor& weight, const Tensor& bias,
                              const Tensor& running_mean, const Tensor& running_var, bool training,
                              const Tensor& other = {}, double momentum = 0.1, double eps = 1e-5) {
  static const Operator op("retort::batch_norm_relu");
  return op.one({input, weight, bias, running_mean, running_var, training, momentum, eps, other});
}
inline Tensor avg_pool2d(const Tensor& self, const Ints& kernel_size,
                         const Ints& stride = std::initializer_list<int64_t>{},
                         const Ints& padding = 0) {
  static const Operator op("aten::avg_pool2d");
  return op.one({self, kernel_size, stride, padding});
}
inline Tensor max_pool2d(const Tensor& self, const Ints& kernel_size,
                         const Ints& stride = std::initializer_list<int64_t>{},
                         const Ints& padding = 0) {
  static const Operator op("aten::max_pool2d");
  return op.one({self, kernel_size, stride, padding});
}
/// Not exact under `deterministic` on CUDA.
inline Tensor adaptive_avg_pool2d(const Tensor& self, const Ints& output_size) {
  static const Operator op("aten::adaptive_avg_pool2d");
  return op.one({self, output_size});
}
/// Mean over the pixels: [N, C, H, W] -> [N, C].
inline Tensor global_avg_pool2d(const Tensor& self) { return mean(self, {2, 3}); }
inline Tensor upsample_nearest2d(const Tensor& self, const Ints& output_size) {
  static const Operator op("aten::upsample_nearest2d");
  return op.one({self, output_size});
}
inline Tensor upsample_bilinear2d(const Tensor& self, const Ints& output_size,
                                  bool align_corners = false) {
  static const Operator op("aten::upsample_bilinear2d");
  return op.one({self, output_size, align_corners});
}
/// Swaps channels between groups (ShuffleNet).
inline Tensor channel_shuffle(const Tensor& self, int64_t groups) {
  static const Operator op("aten::channel_shuffle");
  return op.one({self, groups});
}

/// x / max(||x||_p, eps) along a dimension (torch.nn.functional.normalize).
inline Tensor normalize(const Tensor& self, double p = 2, int64_t dim = 1, double eps = 1e-12) {
  return self / clamp_min(norm(self, p, dim, true), eps);
}
inline Tensor cosine_similarity(const Tensor& a, const Tensor& b, int64_t dim = 1,
                                double eps = 1e-8) {
  static const Operator op("aten::cosine_similarity");
  return op.one({a, b, dim, eps});
}

/// logits [N, C], target [N] int64 or class probabilities [N, C].
inline Tensor cross_entropy(const Tensor& logits, const Tensor& target, double label_smoothing = 0,
                            Reduction reduction = Reduction::Mean) {
  static const Operator op("aten::cross_entropy_loss");
  return op.one({logits, target, Tensor(), static_cast<int64_t>(reduction), -100, label_smoothing});
}
inline Tensor mse_loss(const Tensor& self, const Tensor& target,
                       Reduction reduction = Reduction::Mean) {
  static const Operator op("aten::mse_loss");
  return op.one({self, target, static_cast<int64_t>(reduction)});
}
inline Tensor l1_loss(const Tensor& self, const Tensor& target,
                      Reduction reduction = Reduction::Mean) {
  static const Operator op("aten::l1_loss");
  return op.one({self, target, static_cast<int64_t>(reduction)});
}
/// 0.5 d^2 / beta below beta, |d| - 0.5 beta above.
inline Tensor smooth_l1_loss(const Tensor& self, const Tensor& target,
                             Reduction reduction = Reduction::Mean, double beta = 1) {
  static const Operator op("aten::smooth_l1_loss");
  return op.one({self, target, static_cast<int64_t>(reduction), beta});
}
/// ATen's kl_div: self holds the log-probabilities of the *approximation*, target the probabilities
/// of the reference, and the mean is over every element. For a distillation loss use kl_divergence.
inline Tensor kl_div(const Tensor& self, const Tensor& target,
                     Reduction reduction = Reduction::Mean, bool log_target = false) {
  static const Operator op("aten::kl_div");
  return op.one({self, target, static_cast<int64_t>(reduction), log_target});
}
/// KL(p || q) of log-probabilities, summed over the classes, mean over the batch.
///   mean_n sum_c exp(log_p) (log_p - log_q), where a class that p excludes adds 0
/// Inputs:  log_p [N, C], -inf at an excluded class; log_q [N, C].
/// Output:  [] >= 0; infinite where q excludes a class that p does not.
/// Throws:  ShapeError when the shapes differ: kl_div would broadcast.
inline Tensor kl_divergence(const Tensor& log_p, const Tensor& log_q) {
  const Shape shape = log_p.shape(), other = log_q.shape();
  if (shape != other) {
    throw ShapeError(message("kl_divergence of ", shape.text(), " and ", other.text(),
                             "; both must have the same batch and classes"));
  }
  // The operators of kl_div, in its order; it has 0 (-inf) = NaN for an excluded class.
  const Tensor p = exp(log_p);
  const Tensor ratio = masked_fill(log_p - log_q, log_p == -__builtin_inf(), 0);
  return sum(p * ratio) / static_cast<double>(shape[0]);
}

RETORT_END_NAMESPACE
