#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/data/image_data.hpp"
#include "framework/data/image_ops.hpp"
#include "framework/data/random_erasing.hpp"

namespace retort::host {

/// Turns stored pixels into network inputs. A view is a function of (seed, epoch, sample) alone: it
/// can be made again, in any order, on any thread. Each step of augmentation draws numbers of its
/// own, by its place in the list.
class ViewMaker {
 public:
  /// Throws: ConfigError when the normalisation has another number of channels, when randaugment
  ///         meets images of neither 1 nor 3 channels, and when erase is not the last step: it
  ///         blanks the normalised view, to 0.
  ViewMaker(const ImageData& data, const Normalize& normalize, std::vector<Augment> augment,
            uint64_t seed, bool channels_last);

  /// Augmented views of training samples, as they are in that epoch: [n, C, H, W] float32,
  /// normalised.
  at::Tensor train_views(std::span<const int64_t> samples, int64_t epoch) const;
  /// Samples [first, first + count) of a split, not augmented.
  at::Tensor test_views(int64_t first, int64_t count, EvalSplit split = EvalSplit::Test) const;

 private:
  struct Offset {
    int64_t y = 0;
    int64_t x = 0;
    bool flip = false;
  };
  void check_augment() const;
  static void move(Offset& offset, const Augment& step, const std::array<uint32_t, 4>& words);
  Offset draw(int64_t sample, int64_t epoch) const;
  /// A view whose steps are more than crops and flips; `work` is overwritten.
  void make_view(int64_t sample, int64_t epoch, PlanarImage& work, float* out) const;
  void cut(const uint8_t* image, const Offset& offset, uint8_t* out) const;
  void erase(const Box& box, float* out) const;
  at::Tensor empty_batch(int64_t count) const;
  void render(const uint8_t* image, const Offset& offset, float* out) const;

  const ImageData& data_;
  std::vector<Augment> augment_;
  uint64_t seed_;
  bool channels_last_;
  bool moves_only_;  // crops and flips: one pass from stored to normalised pixels
  std::vector<std::array<float, 256>> levels_;  // a channel each: pixel value -> normalised value
};

}  // namespace retort::host
