#include <ATen/ops/eye.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/strategy_rig.hpp"

namespace retort::test::rkd_test {
namespace {

using testing::HasSubstr;

const Options kDistanceOnly = {{"angle_weight", 0.0}};
const Options kAngleOnly = {{"distance_weight", 0.0}};

Loss rkd_against(const at::Tensor& teacher, const Options& options = {}) {
  auto rig = std::make_shared<StrategyRig>("relational.rkd", options, teacher.scalar_type());
  rig->setup(features_of({teacher}), features_of({teacher}));
  return [=](const at::Tensor& student) {
    return rig->loss(features_of({student}), features_of({teacher}));
  };
}

double value(const Loss& loss, const at::Tensor& student) { return loss(student).item<double>(); }

// RepDistiller's RKDLoss, executed.
TEST(Rkd, GivesTheReferenceValueInFloat64) {
  expect_golden(rkd_against(teacher_embedding()), student_embedding(), 0.208224471196, 1.05935858);
}

TEST(Rkd, GivesTheReferenceValueInFloat32) {
  expect_golden(rkd_against(teacher_embedding().to(at::kFloat)), student_embedding().to(at::kFloat),
                0.208224471196, 1.05935858);
}

TEST(Rkd, GivesTheReferenceValueOfTheUnweightedDistances) {
  const Options options = {{"distance_weight", 1.0}, {"angle_weight", 0.0}};
  expect_golden(rkd_against(teacher_embedding(), options), student_embedding(), 0.00494368131747,
                0.0232021051);
}

// With the zeros of the diagonal in the mean, as PaddleSlim has it, this would give 1.125 / 9.
TEST(Rkd, DividesByTheMeanDistanceOfDifferentSamples) {
  const at::Tensor teacher = at::tensor({0., 1., 3.}, at::kDouble).reshape({3, 1});
  const at::Tensor student = at::eye(3, at::kDouble);  // all pairs equally far: relative distance 1
  const Options options = {{"distance_weight", 1.0}, {"angle_weight", 0.0}};
  // The teacher's relative distances are 1, 2 and 3 over their mean 2; each pair counts twice.
  EXPECT_NEAR(value(rkd_against(teacher, options), student), 2 * (.125 + .125) / 9,
              tolerance_of(at::kDouble).loss);
}

TEST(Rkd, IsTheSumOfItsTerms) {
  const at::Tensor teacher = teacher_embedding(), student = student_embedding();
  const double parts = value(rkd_against(teacher, kDistanceOnly), student) +
                       value(rkd_against(teacher, kAngleOnly), student);
  EXPECT_NEAR(value(rkd_against(teacher), student), parts, tolerance_of(at::kDouble).loss);
}

TEST(Rkd, HasTheGradientOfItsLoss) {
  expect_true_gradient(rkd_against(teacher_embedding()), student_embedding());
}

TEST(Rkd, IsExactlyZeroWhereStudentEqualsTeacher) {
  const LossAndGradient found =
      differentiate(rkd_against(teacher_embedding()), teacher_embedding());
  EXPECT_EQ(found.loss, 0);
  EXPECT_EQ(found.norm(), 0);
}

TEST(Rkd, IgnoresPlaceAndScale) {
  const at::Tensor moved = teacher_embedding() * 3 + 5;
  EXPECT_NEAR(value(rkd_against(teacher_embedding()), moved), 0, tolerance_of(at::kDouble).loss);
}

TEST(Rkd, FlattensFeatureMaps) {
  const at::Tensor teacher = teacher_map(), student = student_map();
  EXPECT_EQ(value(rkd_against(teacher), student),
            value(rkd_against(teacher.flatten(1)), student.flatten(1)));
}

/// A student whose samples 1 and 2 coincide.
at::Tensor with_twins(at::ScalarType type) {
  at::Tensor student = student_embedding().to(type);
  student[2].copy_(student[1]);
  return student;
}

TEST(Rkd, HasABoundedGradientWhereSamplesCoincide) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const Loss loss = rkd_against(teacher_embedding().to(type));
    const LossAndGradient found = differentiate(loss, with_twins(type));
    EXPECT_TRUE(std::isfinite(found.loss));
    EXPECT_LT(found.norm(), 100);  // a division by the clamp would give 1e6 and more
  }
}

TEST(Rkd, HasNoGradientWhereAllSamplesCoincide) {
  const at::Tensor student = at::ones_like(student_embedding());
  const LossAndGradient found = differentiate(rkd_against(teacher_embedding()), student);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_EQ(found.norm(), 0);
}

TEST(Rkd, StaysFiniteWhereTheTeachersSamplesCoincide) {
  const LossAndGradient found =
      differentiate(rkd_against(with_twins(at::kDouble)), teacher_embedding());
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Rkd, RefusesToHaveNoTermAtAll) {
  const std::string message = message_of<host::ConfigError>([] {
    rkd_against(teacher_embedding(), {{"distance_weight", 0.0}, {"angle_weight", 0.0}});
  });
  EXPECT_THAT(message,
              HasSubstr("distance_weight = 0 and angle_weight = 0 leave no loss; set one"));
}

// Two samples have one distance, which is its own mean, and no angle: the loss could only be 0.
TEST(Rkd, DeclaresThatItNeedsThreeSamples) {
  EXPECT_EQ(choose(RETORT_KIND_STRATEGY, "relational.rkd").info.batch_min, 3);
}

}  // namespace
}  // namespace retort::test::rkd_test
