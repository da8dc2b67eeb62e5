#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/data/image_data.hpp"

namespace retort::host {

/// Turns stored pixels into network inputs. A view is a function of (seed, epoch, sample) alone: it
/// can be made again, in any order, on any thread.
class ViewMaker {
 public:
  ViewMaker(const ImageData& data, const Normalize& normalize, std::vector<Augment> augment,
            uint64_t seed, bool channels_last);

  /// Augmented views of training samples, as they are in that epoch: [n, C, H, W] float32,
  /// normalised.
  at::Tensor train_views(std::span<const int64_t> samples, int64_t epoch) const;
  /// Test samples [first, first + count), not augmented.
  at::Tensor test_views(int64_t first, int64_t count) const;

 private:
  struct Offset {
    int64_t y = 0;
    int64_t x = 0;
    bool flip = false;
  };
  Offset draw(int64_t sample, int64_t epoch) const;
  at::Tensor empty_batch(int64_t count) const;
  void render(const uint8_t* image, const Offset& offset, float* out) const;

  const ImageData& data_;
  std::vector<Augment> augment_;
  uint64_t seed_;
  bool channels_last_;
  std::vector<std::array<float, 256>> levels_;  // a channel each: pixel value -> normalised value
};

}  // namespace retort::host
