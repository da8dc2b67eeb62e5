#pragma once

#include "tests/plugins/strategies/strategy_rig.hpp"

// A strategy on one pair of taps, for the tests of strategies on features.

namespace retort::test {

/// Set up for features of these shapes; computes in the student's type.
inline std::shared_ptr<StrategyRig> one_tap(const std::string& id, const at::Tensor& student,
                                            const at::Tensor& teacher,
                                            const Options& options = {}) {
  auto rig = std::make_shared<StrategyRig>(id, options, student.scalar_type());
  rig->setup(features_of({student}), features_of({teacher}));
  return rig;
}

/// The loss as a function of the student's feature.
inline Loss loss_of(const std::shared_ptr<StrategyRig>& rig, const at::Tensor& teacher) {
  return [=](const at::Tensor& student) {
    return rig->loss(features_of({student}), features_of({teacher}));
  };
}

/// Both in one, for a strategy without modules of its own: the student has the teacher's shape.
inline Loss loss_against(const std::string& id, const at::Tensor& teacher,
                         const Options& options = {}) {
  return loss_of(one_tap(id, teacher, teacher, options), teacher);
}

inline double value(const Loss& loss, const at::Tensor& student) {
  return loss(student).item<double>();
}

/// Compares loss and gradient with a formula, written in ATen, at a tensor.
inline void expect_formula(const Loss& loss, const Loss& formula, const at::Tensor& at) {
  const LossAndGradient wanted = differentiate(formula, at);
  expect_golden(loss, at, wanted.loss, wanted.norm());
}

inline void expect_zero(const Loss& loss, const at::Tensor& student) {
  const LossAndGradient found = differentiate(loss, student);
  EXPECT_NEAR(found.loss, 0, tolerance_of(student.scalar_type()).loss);
  EXPECT_NEAR(found.norm(), 0, tolerance_of(student.scalar_type()).gradient);
}

}  // namespace retort::test
