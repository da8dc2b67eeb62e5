#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace retort::host {

/// One call of LibTorch's fused SGD, for all parameters that share these numbers.
///   buffer <- momentum * buffer + gradient + weight_decay * w;  w <- w - lr * buffer
/// With nesterov w <- w - lr * (gradient + weight_decay * w + momentum * buffer).
class FusedSgd {
 public:
  struct Numbers {
    double momentum = 0;  // 0: no buffers
    double weight_decay = 0;
    bool nesterov = false;
  };
  explicit FusedSgd(const Numbers& numbers) : numbers_(numbers) {}

  /// Leaves out a parameter without a gradient. Makes its buffer where there is none yet.
  void add(const at::Tensor& parameter, const at::Tensor& gradient, at::Tensor& buffer);
  void step(double lr);

 private:
  Numbers numbers_;
  std::vector<at::Tensor> parameters_, gradients_, buffers_;
};

}  // namespace retort::host
