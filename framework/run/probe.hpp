#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/run/probe_inputs.hpp"
#include "framework/train/transfer.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {

/// The settings of a probe besides the strategy's options.
struct ProbeSettings {
  double progress = 0;  // 0 at the first step, 1 at the end
  int64_t epoch = 0;    // 0-based
  int64_t epochs = 0;   // of the whole training; 0: epoch + 1
  int64_t seed = 1;     // of draws and of start values
};

/// What a strategy made of its inputs.
struct ProbeResult {
  double loss = 0;
  /// "loss" [], then the gradient of each student tensor ("student.logits.grad") and of each
  /// parameter of the strategy's own modules ("regressor0.conv.weight.grad"); zeros where the loss
  /// does not depend on it.
  std::vector<NamedTensor> tensors;
  std::map<std::string, at::Tensor> draws;  // all that the strategy drew, or was given
  std::vector<Parameter> modules;           // the strategy's own parameters and buffers
};

/// Runs one strategy on tensors from a file, as a training step would, in the type of the tensors.
/// `modules` names a file with own parameters and buffers by name; those that it lacks keep their
/// start values, and a warning names them.
/// Throws: DataError for inputs, modules or draws that do not fit; what the strategy throws.
ProbeResult probe(const ComponentChoice& strategy, const ProbeInputs& inputs,
                  const std::optional<std::filesystem::path>& modules,
                  const ProbeSettings& settings);

}  // namespace retort::host
