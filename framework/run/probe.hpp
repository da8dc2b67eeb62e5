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
  std::optional<double> progress;  // 0 at the first step, 1 at the end; absent: as epoch says
  std::optional<int64_t> epoch;    // 0-based; absent: as progress says
  int64_t epochs = 0;              // of the whole training; 0: epoch + 1
  int64_t train_count = 0;         // samples; 0: as the inputs say
  int64_t seed = 1;                // of draws and of start values
};

/// Where in a training a step is: all of it agrees.
struct ProbePlace {
  int64_t train_count = 0;
  int64_t epoch = 0, epoch_count = 0;  // 0-based
  int64_t step = 0, step_count = 0;    // 0-based, over all epochs
  double progress = 0;                 // step / step_count, or as it was given
};

/// The place that settings name, for batches of that size; a step an epoch where the training set is
/// smaller than two batches.
/// Throws: ConfigError where epoch, epochs and progress contradict each other.
ProbePlace make_place(const ProbeSettings& settings, int64_t train_count, int64_t batch_size);

/// What a strategy made of its inputs.
struct ProbeResult {
  double loss = 0;
  /// "loss" [], then the gradient of each student tensor ("student.logits.grad") and of each
  /// parameter of the strategy's own modules ("regressor0.conv.weight.grad"); zeros where the loss
  /// does not depend on it.
  std::vector<NamedTensor> tensors;
  /// The strategy's own buffers before loss(), "bank", and behind after_backward(), "bank.after".
  std::vector<NamedTensor> buffers;
  std::map<std::string, at::Tensor> draws;  // all that the strategy drew, or was given
  std::vector<Parameter> modules;           // the strategy's own parameters and buffers
  ProbePlace place;
};

/// Runs one strategy on tensors from a file, as a training step would, in the type of the tensors:
/// loss(), the gradients, after_backward(). No optimizer moves own parameters in between.
/// `modules` names a file with own parameters and buffers by name; those that it lacks keep their
/// start values, and a warning names them.
/// Throws: DataError for inputs, modules or draws that do not fit; ConfigError for settings that
///         contradict each other or the inputs; what the strategy throws.
ProbeResult probe(const ComponentChoice& strategy, const ProbeInputs& inputs,
                  const std::optional<std::filesystem::path>& modules,
                  const ProbeSettings& settings);

}  // namespace retort::host
