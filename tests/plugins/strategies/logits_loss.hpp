#pragma once

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/strategy_rig.hpp"

// For the tests of strategies on logits.

namespace retort::test {

/// Set up for logits of the teacher's shape, in its type.
inline std::shared_ptr<StrategyRig> logits_rig(const std::string& id, const at::Tensor& teacher,
                                               const Options& options = {}) {
  auto rig = std::make_shared<StrategyRig>(id, options, teacher.scalar_type());
  rig->setup(logits_of(teacher), logits_of(teacher));
  return rig;
}

/// The loss of a rig as a function of the student's logits.
inline Loss logits_loss(const std::shared_ptr<StrategyRig>& rig, const at::Tensor& teacher) {
  return
      [=](const at::Tensor& student) { return rig->loss(logits_of(student), logits_of(teacher)); };
}

inline Loss logits_loss(const std::string& id, const at::Tensor& teacher,
                        const Options& options = {}) {
  return logits_loss(logits_rig(id, teacher, options), teacher);
}

/// On the golden logits.
inline Loss golden_loss(const std::string& id, const Options& options = {}) {
  return logits_loss(id, teacher_logits(), options);
}
inline double golden_value(const std::string& id, const Options& options = {}) {
  return golden_loss(id, options)(student_logits()).item<double>();
}

/// Compares with a reference on the golden logits, in float64 and float32.
inline void expect_reference(const std::string& id, const Options& options, double wanted,
                             double wanted_norm) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    SCOPED_TRACE(c10::toString(type));
    expect_golden(logits_loss(id, teacher_logits().to(type), options), student_logits().to(type),
                  wanted, wanted_norm);
  }
}

/// Logits that no exponential holds: +-1e4, where student and teacher agree and where they do not.
inline void expect_finite_for_extreme_logits(const std::string& id, const Options& options = {}) {
  const at::Tensor teacher = teacher_logits().sign().to(at::kFloat) * 1e4;
  for (const double sign : {1., -1.}) {
    for (const at::Tensor& student : {teacher, student_logits().sign().to(at::kFloat) * 1e4}) {
      const LossAndGradient found =
          differentiate(logits_loss(id, teacher, options), student * sign);
      EXPECT_TRUE(std::isfinite(found.loss)) << found.loss;
      EXPECT_TRUE(all_finite(found.gradient));
    }
  }
}

inline void expect_zero_where_equal(const std::string& id, const Options& options = {}) {
  const LossAndGradient found = differentiate(golden_loss(id, options), teacher_logits());
  EXPECT_NEAR(found.loss, 0, tolerance_of(at::kDouble).loss);
  EXPECT_NEAR(found.norm(), 0, tolerance_of(at::kDouble).gradient);
}

/// A shift of each sample's logits changes no probability.
inline void expect_to_ignore_shifts(const std::string& id, const Options& options = {}) {
  const double wanted = golden_value(id, options);
  const at::Tensor shifts = teacher_logits().slice(1, 0, 1) * 5;  // [4, 1]
  EXPECT_NEAR(golden_loss(id, options)(student_logits() + shifts).item<double>(), wanted,
              tolerance_of(at::kDouble).loss * wanted);
}

// Two samples of three classes, labels 0 and 2; the teacher excludes class 1 of the first, as a mask
// does.
inline at::Tensor unmasked_student() {
  return at::tensor({1., 2., 4., 3., 0., -1.}, at::kDouble).reshape({2, 3});
}
inline at::Tensor masked_teacher() {
  at::Tensor logits = unmasked_student();
  logits[0][1].fill_(-std::numeric_limits<double>::infinity());
  return logits;
}
inline std::shared_ptr<StrategyRig> masked_rig(const std::string& id, const Options& options = {},
                                               at::ScalarType type = at::kDouble) {
  auto rig = std::make_shared<StrategyRig>(id, options, type);
  rig->labels = at::tensor({0, 2}, at::kLong);
  rig->setup(logits_of(masked_teacher()), logits_of(masked_teacher()));
  return rig;
}
inline Loss masked_loss(const std::string& id, const Options& options = {},
                        at::ScalarType type = at::kDouble) {
  return logits_loss(masked_rig(id, options, type), masked_teacher().to(type));
}

/// An excluded class adds nothing (0 log 0 = 0), also where the student excludes it too: compares
/// with a reference.
inline void expect_masked_reference(const std::string& id, const Options& options, double wanted) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const Loss loss = masked_loss(id, options, type);
    const LossAndGradient found = differentiate(loss, unmasked_student().to(type));
    EXPECT_NEAR(found.loss, wanted, tolerance_of(type).loss * wanted);
    const LossAndGradient both = differentiate(loss, masked_teacher().to(type));
    EXPECT_TRUE(std::isfinite(both.loss));
    EXPECT_TRUE(all_finite(both.gradient));
  }
  expect_true_gradient(masked_loss(id, options), unmasked_student());
}

inline void expect_to_refuse_one_class(const std::string& id, const Options& options = {}) {
  const at::Tensor one = student_logits().slice(1, 0, 1);
  const std::string message = message_of<host::ShapeError>(
      [&] { StrategyRig(id, options).setup(logits_of(one), logits_of(one)); });
  EXPECT_THAT(message, testing::HasSubstr("the logits [4, 1] have a single class, whose "
                                          "probability is always 1: there is nothing to learn; "
                                          "take data with 2 classes or more"));
}

/// Before training, with both shapes.
inline void expect_to_refuse_other_classes(const std::string& id) {
  const std::string message = message_of<host::ShapeError>([&] {
    StrategyRig(id).setup(logits_of(student_logits().slice(1, 0, 7)), logits_of(teacher_logits()));
  });
  EXPECT_THAT(message, testing::HasSubstr("the student's logits are [4, 7] and the teacher's "
                                          "[4, 10]; distil between networks of the same classes"));
}

}  // namespace retort::test
