#include <ATen/ops/adaptive_avg_pool2d.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/feature_loss.hpp"

namespace retort::test::at_test {
namespace {

using testing::HasSubstr;

const Options kPaper = {{"mode", int64_t{1}}};

double value(const at::Tensor& student, const at::Tensor& teacher, const Options& options = {}) {
  return feature_loss("feature.at", student, teacher, options)(student).item<double>();
}

// RepDistiller's Attention, executed.
void expect_reference_value(at::ScalarType type) {
  const at::Tensor student = student_map().to(type), teacher = teacher_map().to(type);
  expect_golden(feature_loss("feature.at", student, teacher), student, 0.00254697085738,
                0.00363896828);
}
TEST(At, GivesTheReferenceValueInFloat64) { expect_reference_value(at::kDouble); }
TEST(At, GivesTheReferenceValueInFloat32) { expect_reference_value(at::kFloat); }

/// An attention map written out: the sum (or mean: the norm takes out the factor) over channels.
at::Tensor attention(const at::Tensor& map, double power) {
  const at::Tensor rows = map.abs().pow(power).sum(1).flatten(1);
  return rows / rows.square().sum(1, true).sqrt();
}

TEST(At, InModePaperIsTheMeanNormOverTheBatch) {
  for (const int64_t power : {1, 2, 3}) {
    Options options = kPaper;
    options["power"] = power;
    const LossAndGradient wanted = differentiate(
        [&](const at::Tensor& student) {
          const at::Tensor gap = attention(student, power) - attention(teacher_map(), power);
          return gap.square().sum(1).sqrt().mean();
        },
        student_map());
    expect_golden(feature_loss("feature.at", student_map(), teacher_map(), options), student_map(),
                  wanted.loss, wanted.norm());
  }
}

TEST(At, TakesThePowerOfTheActivations) {
  const at::Tensor gap = attention(student_map(), 4) - attention(teacher_map(), 4);
  EXPECT_NEAR(value(student_map(), teacher_map(), {{"power", int64_t{4}}}),
              gap.square().mean().item<double>(), tolerance_of(at::kDouble).loss);
}

TEST(At, HasTheGradientOfItsLossInBothModes) {
  for (const Options& options : {Options{}, kPaper})
    expect_true_gradient(feature_loss("feature.at", student_map(), teacher_map(), options),
                         student_map());
}

TEST(At, IsExactlyZeroWhereStudentEqualsTeacher) {
  for (const Options& options : {Options{}, kPaper}) {
    const LossAndGradient found = differentiate(
        feature_loss("feature.at", teacher_map(), teacher_map(), options), teacher_map());
    EXPECT_EQ(found.loss, 0);
    EXPECT_EQ(found.norm(), 0);
  }
}

TEST(At, IgnoresTheScaleAndTheOrderOfChannels) {
  const double plain = value(student_map(), teacher_map());
  EXPECT_NEAR(value(student_map().flip(1) * 3, teacher_map()), plain,
              tolerance_of(at::kDouble).loss);
}

TEST(At, AveragesTheLargerMapAndTakesAnyNumberOfChannels) {
  const at::Tensor large = large_student_map().slice(1, 0, 3);
  const at::Tensor small = at::adaptive_avg_pool2d(large, {4, 4});
  EXPECT_EQ(value(large, teacher_map()), value(small, teacher_map()));
  EXPECT_EQ(value(teacher_map(), large), value(teacher_map(), small));
  const at::Tensor wide = large.slice(2, 0, 4);  // as high as the teacher's
  EXPECT_EQ(value(wide, teacher_map()),
            value(at::adaptive_avg_pool2d(wide, {4, 4}), teacher_map()));
  EXPECT_EQ(value(teacher_map(), wide),
            value(teacher_map(), at::adaptive_avg_pool2d(wide, {4, 4})));
}

TEST(At, SumsTheLossesOfSeveralTaps) {
  const std::vector<at::Tensor> student = {student_map(), second_student_map()};
  const std::vector<at::Tensor> teacher = {teacher_map(), second_teacher_map()};
  const Loss both = at_tap(feature_rig("feature.at", student, teacher), 0, student, teacher);
  EXPECT_NEAR(both(student[0]).item<double>(),
              value(student[0], teacher[0]) + value(student[1], teacher[1]),
              tolerance_of(at::kDouble).loss);
}

TEST(At, HasAFiniteGradientWhereAMapIsZero) {
  for (const Options& options : {Options{}, kPaper}) {
    const at::Tensor dead = student_map() * 0;
    const LossAndGradient found =
        differentiate(feature_loss("feature.at", dead, teacher_map(), options), dead);
    EXPECT_TRUE(all_finite(found.gradient));
  }
}

TEST(At, RefusesAVectorBeforeTraining) {
  const std::string message = message_of<host::ShapeError>([] {
    feature_loss("feature.at", student_map().mean({2, 3}), teacher_map());
  });
  EXPECT_THAT(message, HasSubstr("compares feature maps [N, C, H, W], not [4, 6] with [4, 6, 4, 4]"
                                 "; bind taps that are feature maps"));
}

TEST(At, RefusesMapsThatAreComparedAtOnePixel) { expect_to_refuse_one_pixel("feature.at"); }

}  // namespace
}  // namespace retort::test::at_test
