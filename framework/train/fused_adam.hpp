#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "framework/config/keys/optimizer.hpp"

namespace retort::host {

/// One call of LibTorch's fused Adam or AdamW, for all parameters that share a weight decay.
class FusedAdam {
 public:
  /// What it keeps of a parameter.
  struct State {
    at::Tensor &first, &second;  // moments
    at::Tensor& steps;           // [] float32
  };

  FusedAdam(const OptimizerConfig& config, double weight_decay)
      : config_(config), weight_decay_(weight_decay) {}

  /// Leaves out a parameter without a gradient. Makes its state where there is none yet.
  void add(const at::Tensor& parameter, const at::Tensor& gradient, const State& state);
  void step(double lr);

 private:
  const OptimizerConfig& config_;
  double weight_decay_;
  std::vector<at::Tensor> parameters_, gradients_, first_, second_, steps_;
};

}  // namespace retort::host
