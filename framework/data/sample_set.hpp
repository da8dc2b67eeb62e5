#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "framework/data/source.hpp"

namespace retort::host {

/// What a network can be evaluated on.
enum class EvalSplit { Test, Validation };

/// A split of a source, with its labels.
struct ImageSplit {
  Split split = Split::Train;
  at::Tensor labels;  // [N] int64
  int64_t size() const { return labels.defined() ? labels.size(0) : 0; }
};

/// Which samples of a source are trained on, and which a network is evaluated on.
struct SampleSet {
  ImageSplit train;
  ImageSplit test;
  // The training samples that are held out, rising: training never draws them. Empty: none.
  std::vector<int64_t> validation;

  int64_t size(EvalSplit split) const {
    return split == EvalSplit::Test ? test.size() : static_cast<int64_t>(validation.size());
  }
  /// The labels of samples [first, first + count) of what is evaluated on: [count] int64.
  at::Tensor labels(EvalSplit split, int64_t first, int64_t count) const;
  /// Their positions in the split that they are of.
  std::vector<int64_t> find_positions(EvalSplit split, int64_t first, int64_t count) const;
  /// The split that they are of.
  Split find_split(EvalSplit split) const {
    return split == EvalSplit::Test ? test.split : train.split;
  }

  /// How many samples are trained on.
  int64_t trained_count() const { return train.size() - size(EvalSplit::Validation); }
  /// Which, rising: positions in train.
  std::vector<int64_t> trained_samples() const;
};

}  // namespace retort::host
