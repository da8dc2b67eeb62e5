#pragma once

#include <c10/core/ScalarType.h>

namespace retort::test {

/// How near a computed number must be to its reference, relative to the reference's size. The
/// reference gradient norms are printed with nine digits.
struct Tolerance {
  double loss;
  double gradient;
};
inline Tolerance tolerance_of(at::ScalarType type) {
  return type == at::kDouble ? Tolerance{1e-9, 1e-8} : Tolerance{1e-5, 1e-5};
}

/// Central differences of this width in float64 leave this relative error.
constexpr double kDifferenceWidth = 1e-5;
constexpr double kDifferenceTolerance = 1e-6;

/// A float32 update of a parameter of size 1 against the same sums in float64.
constexpr double kUpdateTolerance = 2e-6;
/// A rate or weight, computed in float64.
constexpr double kRateTolerance = 1e-12;
/// A float32 loss whose sums ran in another order (channels_last).
constexpr double kReorderedTolerance = 1e-4;
/// A loss in bfloat16 (8 bits of mantissa) against float32.
constexpr double kBf16Tolerance = 0.03;
/// A loss on a GPU against the CPU's.
constexpr double kDeviceTolerance = 1e-3;
/// What is left of terms of size 1 that cancel.
constexpr double kFloat32Noise = 2e-7;
/// How many standard errors a sample's mean may lie from the true one; the seeds are fixed.
constexpr double kStandardErrors = 4;

}  // namespace retort::test
