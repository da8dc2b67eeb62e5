#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/plugin/instance.hpp"

namespace retort::host {

/// One split of a data set in memory.
struct ImageSplit {
  at::Tensor images;  // [N, C, H, W] uint8, contiguous
  at::Tensor labels;  // [N] int64
  int64_t size() const { return labels.defined() ? labels.size(0) : 0; }
};

/// What a network can be evaluated on.
enum class EvalSplit { Test, Validation };

/// A data set as its plugin gave it, whole.
struct ImageData {
  std::string id;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t class_count = 0;
  Normalize normalize;  // the data set's own
  std::vector<std::string> class_names;
  ImageSplit train;
  ImageSplit test;
  int64_t train_available = 0;  // of the data set; more than train has with data.train_samples
  // The training samples that are held out, rising: training never draws them. Empty: none.
  std::vector<int64_t> validation;

  int64_t size(EvalSplit split) const {
    return split == EvalSplit::Test ? test.size() : static_cast<int64_t>(validation.size());
  }
  /// The labels of samples [first, first + count) of a split: [count] int64.
  at::Tensor labels(EvalSplit split, int64_t first, int64_t count) const;
  /// How many samples are trained on.
  int64_t trained_count() const { return train.size() - size(EvalSplit::Validation); }
  /// Which, rising: positions in train.
  std::vector<int64_t> trained_samples() const;
};

/// "fashion_mnist   54,000 of 60,000 train, 6,000 held out, 10,000 test, 1 x 28 x 28, 10 classes":
/// what is trained on, of how many, and what is held out; the latter two where they differ.
std::string description(const ImageData& data);

/// Loads both splits through the plugin, and chooses what is held out (see hold_out). Labels are
/// checked against the class count.
/// Throws: DataError from the plugin (missing or damaged files), or where what it says does not fit
///         together; ConfigError for a share that holds out nothing, or everything.
ImageData load_images(const DataConfig& config);

/// XXH3-128 of the pixels and labels of both splits, and of what is held out: what a kept teacher
/// and its accuracy depend on.
std::string content_hash(const ImageData& data);

}  // namespace retort::host
