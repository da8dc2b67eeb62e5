#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/base/random.hpp"
#include "framework/config/keys/augment.hpp"
#include "framework/data/image_ops.hpp"
#include "framework/data/random_erasing.hpp"
#include "framework/data/source.hpp"

namespace retort::host {

/// A move of an image, with zero bytes around it: its window moves by (y, x) and is then mirrored.
struct Offset {
  int64_t y = 0;
  int64_t x = 0;
  bool flip = false;
};

/// What a chain makes of an image: bytes that are still to be moved, and then a box to blank.
struct Augmented {
  const uint8_t* image;
  Offset offset;
  Box erased;
};

/// A list of steps of augmentation. Each draws numbers of its own for a sample, by its place in the
/// list.
class AugmentChain {
 public:
  /// `key` is that of the list, for messages.
  /// Throws: ConfigError when randaugment meets images of neither 1 nor 3 channels, when rotations
  ///         meets images that are not square, and when erase is not the last step: it blanks the
  ///         normalised view.
  AugmentChain(std::vector<Augment> steps, const SourceFacts& images, const std::string& key);

  /// Whether crops and flips are all there is: then draw_move tells everything.
  bool only_moves() const { return only_moves_; }
  /// Whether copies of a sample are turned.
  bool turns() const { return turns_; }

  Offset draw_move(const Philox& random, int64_t sample) const;
  /// Applies the steps to a copy of a sample. The result is `image` itself or lies in `work`.
  Augmented apply(const Philox& random, int64_t sample, int64_t copy, const uint8_t* image,
                  PlanarImage& work) const;

 private:
  std::vector<Augment> steps_;
  bool only_moves_;
  bool turns_;
};

/// Moves an image of the size of `work`, into its pixels: `image` may lie there already.
void move_image(const uint8_t* image, const Offset& offset, PlanarImage& work);

}  // namespace retort::host
