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
};

/// Loads both splits through the plugin. Labels are checked against the class count.
/// Throws: DataError from the plugin (missing or damaged files), or where what it says does not fit
///         together.
ImageData load_images(const DataConfig& config);

/// XXH3-128 of the pixels and labels of both splits: what a kept teacher and its accuracy depend on.
std::string content_hash(const ImageData& data);

}  // namespace retort::host
