#pragma once

#include <gmock/gmock.h>

#include <cmath>
#include <memory>
#include <string>

#include "framework/error.hpp"
#include "tests/framework/data/scratch.hpp"
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

/// Before training, with both shapes.
inline void expect_to_refuse_other_classes(const std::string& id) {
  const std::string message = message_of<host::ShapeError>([&] {
    StrategyRig(id).setup(logits_of(student_logits().slice(1, 0, 7)), logits_of(teacher_logits()));
  });
  EXPECT_THAT(message, testing::HasSubstr("the student's logits are [4, 7] and the teacher's "
                                          "[4, 10]; distil between networks of the same classes"));
}

}  // namespace retort::test
