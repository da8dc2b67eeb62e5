#include "framework/data/randaugment.hpp"

#include <cmath>

namespace retort::host {
namespace {

/// Whole pixels, rounded towards 0, computed so that no rounding error precedes it.
double translation(int64_t side, double strength) {
  return std::trunc(strength * 150.0 * static_cast<double>(side) / (331.0 * kMaxMagnitude));
}

}  // namespace

void apply(AugmentOperation operation, int64_t magnitude, bool negative, PlanarImage& image) {
  const double strength = static_cast<double>(negative ? -magnitude : magnitude);
  const double shear = 0.3 * strength / kMaxMagnitude;
  const double factor = 1 + 0.9 * strength / kMaxMagnitude;
  switch (operation) {
    case AugmentOperation::Identity:
      return;
    case AugmentOperation::ShearX:
      return affine(image, {1, shear, 0, 0, 1, 0});
    case AugmentOperation::ShearY:
      return affine(image, {1, 0, 0, shear, 1, 0});
    case AugmentOperation::TranslateX:
      return affine(image, {1, 0, -translation(image.width, strength), 0, 1, 0});
    case AugmentOperation::TranslateY:
      return affine(image, {1, 0, 0, 0, 1, -translation(image.height, strength)});
    case AugmentOperation::Rotate:
      return rotate(image, 30.0 * strength / kMaxMagnitude);
    case AugmentOperation::Brightness:
      return adjust_brightness(image, factor);
    case AugmentOperation::Color:
      return adjust_color(image, factor);
    case AugmentOperation::Contrast:
      return adjust_contrast(image, factor);
    case AugmentOperation::Sharpness:
      return adjust_sharpness(image, factor);
    case AugmentOperation::Posterize:
      return posterize(
          image,
          8 - static_cast<int>(std::lround(4.0 * static_cast<double>(magnitude) / kMaxMagnitude)));
    case AugmentOperation::Solarize:
      return solarize(image,
                      255.0 * static_cast<double>(kMaxMagnitude - magnitude) / kMaxMagnitude);
    case AugmentOperation::AutoContrast:
      return autocontrast(image);
    case AugmentOperation::Equalize:
      return equalize(image);
  }
}

}  // namespace retort::host
