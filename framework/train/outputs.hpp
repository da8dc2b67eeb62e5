#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace retort::host {

/// What one pass gave: the logits and the taps that were asked for, in their order. Float32, also under
/// bfloat16.
struct Outputs {
  at::Tensor logits;
  std::vector<at::Tensor> features;
};

/// The shapes of outputs for a batch.
struct OutputShapes {
  std::vector<int64_t> logits;
  std::vector<std::vector<int64_t>> features;
};

/// Whether a pass is one of training, with batch statistics.
enum class PassMode { Evaluate, Train };

}  // namespace retort::host
