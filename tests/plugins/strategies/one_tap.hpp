#pragma once

#include "tests/plugins/strategies/feature_loss.hpp"

// For strategies on one pair of taps whose reference is a formula written in ATen.

namespace retort::test {

/// The loss of a rig as a function of the student's feature.
inline Loss loss_of(const std::shared_ptr<StrategyRig>& rig, const at::Tensor& teacher) {
  return at_tap(rig, 0, {teacher}, {teacher});
}

inline double value(const Loss& loss, const at::Tensor& student) {
  return loss(student).item<double>();
}

inline void expect_zero(const Loss& loss, const at::Tensor& student) {
  const LossAndGradient found = differentiate(loss, student);
  EXPECT_NEAR(found.loss, 0, tolerance_of(student.scalar_type()).loss);
  EXPECT_NEAR(found.norm(), 0, tolerance_of(student.scalar_type()).gradient);
}

}  // namespace retort::test
