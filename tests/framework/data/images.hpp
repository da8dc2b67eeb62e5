#pragma once

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "framework/base/random.hpp"
#include "framework/data/image_data.hpp"
#include "framework/data/memory_source.hpp"
#include "framework/data/views.hpp"

namespace retort::test {

/// Random pixels, and labels that go round ten classes.
inline host::StoredSplit random_split(int64_t count, int64_t channels, int64_t height,
                                      int64_t width) {
  const at::Tensor pixels = at::empty({count * channels * height * width}, at::kLong);
  host::Philox(1).integers(pixels.data_ptr<int64_t>(), pixels.numel(), 0, 256);
  const at::Tensor labels = at::empty({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i) labels.data_ptr<int64_t>()[i] = i % 10;
  return {pixels.to(at::kByte).reshape({count, channels, height, width}), labels};
}

/// Images that are tested on what they are trained on. Their own normalisation has mean 0.25 and
/// deviation 0.5 in every channel.
inline host::ImageData make_images(const host::StoredSplit& split) {
  host::SourceFacts facts;
  facts.id = "random";
  facts.channels = split.images.size(1);
  facts.height = split.images.size(2);
  facts.width = split.images.size(3);
  facts.class_count = 10;
  facts.normalize.mean.assign(static_cast<size_t>(facts.channels), 0.25);
  facts.normalize.stddev.assign(static_cast<size_t>(facts.channels), 0.5);
  return host::ImageData(std::make_shared<host::MemorySource>(facts, split, split));
}

inline host::ImageData random_images(int64_t count, int64_t channels, int64_t height,
                                     int64_t width) {
  return make_images(random_split(count, channels, height, width));
}

/// The stored pixels of a training sample: [C, H, W] uint8.
inline at::Tensor fetch_pixels(const host::ImageData& data, int64_t sample) {
  at::Tensor pixels = at::empty({data.channels, data.height, data.width}, at::kByte);
  data.source->fetch(host::Split::Train, std::vector<int64_t>{sample}, pixels.data_ptr<uint8_t>());
  return pixels;
}

/// The same, normalised as the data say.
inline at::Tensor normalized(const at::Tensor& pixels) {
  return pixels.to(at::kDouble).div(255).sub(0.25).div(0.5).to(at::kFloat);
}

inline host::Augment crop(int64_t padding) { return {host::Augment::Kind::Crop, padding}; }
inline host::Augment flip() { return {host::Augment::Kind::Flip, 0}; }
inline host::Augment rotations() { return {host::Augment::Kind::Rotations, 0}; }
inline host::Augment rand_augment(int64_t operations = 2, int64_t magnitude = 9) {
  host::Augment step{host::Augment::Kind::RandAugment};
  step.operations = operations;
  step.magnitude = magnitude;
  return step;
}
inline host::Augment erase(double probability) {
  host::Augment step{host::Augment::Kind::Erase};
  step.probability = probability;
  return step;
}

inline host::ViewMaker make_maker(const host::ImageData& data, host::ViewRecipe recipe,
                                  uint64_t seed = 1,
                                  at::MemoryFormat format = at::MemoryFormat::Contiguous) {
  return host::ViewMaker(data, data.normalize, std::move(recipe), seed,
                         format == at::MemoryFormat::ChannelsLast);
}
/// Of the default view.
inline host::ViewMaker make_views(const host::ImageData& data, std::vector<host::Augment> augment,
                                  uint64_t seed = 1,
                                  at::MemoryFormat format = at::MemoryFormat::Contiguous) {
  return make_maker(data, host::ViewRecipe(std::move(augment)), seed, format);
}

/// The recipe of a view that draws as `draws_as`, of a size and so many copies.
inline host::ViewRecipe make_recipe(const std::string& draws_as, std::vector<host::Augment> augment,
                                    int64_t size = 0, int64_t times = 1) {
  host::ViewRecipe recipe(std::move(augment));
  recipe.draws_as = draws_as;
  recipe.size = size;
  recipe.times = times;
  recipe.key = "data.views.other.augment";
  return recipe;
}

}  // namespace retort::test
