#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/keys/augment.hpp"
#include "framework/config/keys/normalize.hpp"
#include "framework/data/augment_chain.hpp"
#include "framework/data/image_data.hpp"
#include "framework/data/resize.hpp"

namespace retort::host {

/// How a view is made.
struct ViewRecipe {
  ViewRecipe() = default;
  /// The default view's.
  ViewRecipe(std::vector<Augment> steps) : augment(std::move(steps)) {}

  // The view whose draws it takes: its own name, or that of the one that it is like; "": those of
  // the default view.
  std::string draws_as;
  std::vector<Augment> augment;
  int64_t size = 0;                  // height and width after augmentation; 0: the data's
  int64_t times = 1;                 // copies of each sample
  std::string key = "data.augment";  // of `augment`, for messages
};

/// Turns stored pixels into network inputs. A view is a function of (seed, whose draws it takes,
/// epoch, sample, copy) alone: it can be made again, in any order, on any thread.
class ViewMaker {
 public:
  /// Throws: ConfigError when the normalisation has another number of channels; as AugmentChain.
  ViewMaker(const ImageData& data, const Normalize& normalize, ViewRecipe recipe, uint64_t seed,
            bool channels_last);

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  /// How many copies of each sample train_views makes.
  int64_t times() const { return recipe_.times; }

  /// Augmented views of training samples, as they are in that epoch: [n * times, C, H, W] float32,
  /// normalised, the copies of a sample one after the other. Copies draw numbers of their own, the
  /// first those of a view without copies; where the chain turns them, all draw the same.
  at::Tensor train_views(std::span<const int64_t> samples, int64_t epoch) const;
  /// The same of pixels that are there already.
  at::Tensor train_views(const SamplePixels& pixels, int64_t epoch) const;
  /// Samples [first, first + count) of a split, not augmented, one of each: [count, C, H, W].
  at::Tensor test_views(int64_t first, int64_t count, EvalSplit split = EvalSplit::Test) const;

 private:
  /// What making a view that is more than a move needs room for.
  struct Room;

  void fill_levels(const Normalize& normalize);
  Philox make_random(int64_t epoch, int64_t copy) const;
  at::Tensor make_empty(int64_t count) const;
  void write_view(Augmented view, Room& room, float* out) const;
  void render(const uint8_t* image, const Offset& offset, float* out) const;
  void erase(const Box& box, float* out) const;

  const ImageData& data_;
  ViewRecipe recipe_;
  AugmentChain chain_;
  std::optional<Resizer> resizer_;  // where the size is another than the data's
  int64_t height_, width_;
  uint64_t seed_;
  bool channels_last_;
  std::vector<std::array<float, 256>> levels_;  // a channel each: pixel value -> normalised value
};

}  // namespace retort::host
