#pragma once

#include <cstdint>

#include "framework/data/image_ops.hpp"

namespace retort::host {

/// The operations of RandAugment, in torchvision's order.
enum class AugmentOperation {
  Identity,
  ShearX,
  ShearY,
  TranslateX,
  TranslateY,
  Rotate,
  Brightness,
  Color,
  Contrast,
  Sharpness,
  Posterize,
  Solarize,
  AutoContrast,
  Equalize,
};
inline constexpr uint32_t kAugmentOperations = 14;
inline constexpr int64_t kMaxMagnitude = 30;

/// Applies one operation of RandAugment to an image of 1 or 3 channels: nearest interpolation, 0
/// outside. `magnitude` is 0 .. 30; with `negative`, shears, translations and rotations go the
/// other way, and enhancements lessen.
///   strength at 30: shear 0.3, translation 150/331 of the side, rotation 30 degrees, enhancements
///   1 +- 0.9, posterize 4 bits, solarize from 0; at 0 each leaves the image alone.
/// Source:  Cubuk et al. 2020, arXiv:1909.13719; operations and strengths of torchvision's
///          RandAugment with num_magnitude_bins = 31.
void apply(AugmentOperation operation, int64_t magnitude, bool negative, PlanarImage& image);

}  // namespace retort::host
