#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/plugin/manifest.hpp"
#include "framework/train/network.hpp"

namespace retort::host {

/// What a strategy is probed with, from one file. Of what the strategy does not read, labels and
/// indices are there all the same: they place labels in the training set.
struct ProbeInputs {
  at::ScalarType type = at::kFloat;  // of all logits and features
  int64_t batch_size = 0;
  int64_t class_count = 0;  // 0 where neither logits nor labels tell
  Outputs student, teacher;
  at::Tensor labels, indices;               // [N] int64
  at::Tensor train_labels;                  // [train_count] int64, or undefined
  std::map<std::string, at::Tensor> draws;  // by the name of the draw
};

/// One tensor that a strategy can be given.
struct ProbeInputRule {
  std::string name;    // "student.features.0"
  std::string wanted;  // "[N, C] float32 or float64"
  bool required = false;
};

/// What a strategy reads; further features are numbered on, other names are draws.
std::vector<ProbeInputRule> probe_input_rules(const ComponentInfo& strategy);

/// Reads student.logits, teacher.logits, labels, indices, train_labels, student.features.0 .. and
/// teacher.features.0 ..; any other tensor is a named draw. Of these names, what the strategy does not
/// declare is checked, left out and warned of.
/// Throws: DataError with the tensor, what was found and what is wanted.
ProbeInputs read_probe_inputs(const std::filesystem::path& file, const ComponentInfo& strategy);

}  // namespace retort::host
