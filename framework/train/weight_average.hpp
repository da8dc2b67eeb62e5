#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "framework/bridge/parameter_set.hpp"

namespace retort::host {

/// The exponential moving average of a network's parameters and buffers:
///   average += (1 - d) (weights - average),   d = min(decay, (1 + n) / (10 + n)) at update n.
/// The smaller decay of the first updates lets the average leave the start values.
/// Source:  Polyak and Juditsky 1992; the warm-up as in TensorFlow's ExponentialMovingAverage.
class WeightAverage {
 public:
  WeightAverage(ParameterSet& parameters, double decay);

  /// After the optimizer's step number n, 0-based.
  void update(int64_t n);
  /// Exchanges the average and the network's weights: once for evaluation, once more to go on.
  void swap();

  /// By parameter name; the tensors are the average's own.
  const std::vector<std::pair<std::string, at::Tensor>>& tensors() const { return averages_; }

 private:
  ParameterSet& parameters_;
  double decay_;
  std::vector<std::pair<std::string, at::Tensor>> averages_;
};

}  // namespace retort::host
