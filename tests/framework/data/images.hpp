#pragma once

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "framework/base/random.hpp"
#include "framework/data/image_data.hpp"
#include "framework/data/views.hpp"

namespace retort::test {

/// Random pixels, and labels that go round the classes. Its own normalisation has mean 0.25 and
/// deviation 0.5 in every channel.
inline host::ImageData random_images(int64_t count, int64_t channels, int64_t height,
                                     int64_t width) {
  host::ImageData data;
  data.id = "random";
  data.channels = channels;
  data.height = height;
  data.width = width;
  data.class_count = 10;
  data.normalize.mean.assign(static_cast<size_t>(channels), 0.25);
  data.normalize.stddev.assign(static_cast<size_t>(channels), 0.5);
  const at::Tensor pixels = at::empty({count * channels * height * width}, at::kLong);
  host::Philox(1).integers(pixels.data_ptr<int64_t>(), pixels.numel(), 0, 256);
  data.train.images = pixels.to(at::kByte).reshape({count, channels, height, width});
  data.train.labels = at::empty({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i) data.train.labels.data_ptr<int64_t>()[i] = i % 10;
  data.test = data.train;
  return data;
}

inline host::Augment crop(int64_t padding) { return {host::Augment::Kind::Crop, padding}; }
inline host::Augment flip() { return {host::Augment::Kind::Flip, 0}; }

inline host::ViewMaker views_of(const host::ImageData& data, std::vector<host::Augment> augment,
                                uint64_t seed = 1, bool channels_last = false) {
  return host::ViewMaker(data, data.normalize, std::move(augment), seed, channels_last);
}

}  // namespace retort::test
