#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/einsum.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/feature_loss.hpp"

namespace retort::test::nst_test {
namespace {

using testing::HasSubstr;

double value(const at::Tensor& student, const at::Tensor& teacher) {
  return feature_loss("feature.nst", student, teacher)(student).item<double>();
}

// RepDistiller's NSTLoss, executed.
void expect_reference_value(at::ScalarType type) {
  const at::Tensor student = student_map().to(type), teacher = teacher_map().to(type);
  expect_golden(feature_loss("feature.nst", student, teacher), student, 0.949611347585,
                0.0459210376);
}
TEST(Nst, GivesTheReferenceValueInFloat64) { expect_reference_value(at::kDouble); }
TEST(Nst, GivesTheReferenceValueInFloat32) { expect_reference_value(at::kFloat); }

/// The mean kernel written out in index notation.
double mean_kernel(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.flatten(2) / a.flatten(2).norm(2, 2, true);
  const at::Tensor y = b.flatten(2) / b.flatten(2).norm(2, 2, true);
  return at::einsum("ncp,ndp->ncd", {x, y}).square().mean().item<double>();
}

TEST(Nst, TakesAnyNumberOfChannels) {
  const at::Tensor student = student_map().slice(1, 0, 3), teacher = teacher_map();
  EXPECT_NEAR(value(student, teacher),
              mean_kernel(teacher, teacher) + mean_kernel(student, student) -
                  2 * mean_kernel(student, teacher),
              tolerance_of(at::kDouble).loss);
}

TEST(Nst, HasTheGradientOfItsLoss) {
  expect_true_gradient(feature_loss("feature.nst", student_map(), teacher_map()), student_map());
}

TEST(Nst, IsZeroWithoutGradientWhereStudentEqualsTeacher) {
  const LossAndGradient found =
      differentiate(feature_loss("feature.nst", teacher_map(), teacher_map()), teacher_map());
  EXPECT_EQ(found.loss, 0);
  EXPECT_NEAR(found.norm(), 0, tolerance_of(at::kDouble).gradient);
}

TEST(Nst, IgnoresTheOrderAndTheScaleOfChannels) {
  EXPECT_NEAR(value(student_map().flip(1) * 3, teacher_map()), value(student_map(), teacher_map()),
              tolerance_of(at::kDouble).loss);
}

TEST(Nst, AveragesTheLargerMap) {
  const at::Tensor large = large_student_map(), small = at::adaptive_avg_pool2d(large, {4, 4});
  EXPECT_EQ(value(large, teacher_map()), value(small, teacher_map()));
  EXPECT_EQ(value(teacher_map(), large), value(teacher_map(), small));
}

TEST(Nst, HasAFiniteGradientWhereAChannelIsDead) {
  at::Tensor student = student_map();
  student.select(1, 2).zero_();
  const LossAndGradient found =
      differentiate(feature_loss("feature.nst", student, teacher_map()), student);
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Nst, RefusesAVectorBeforeTraining) {
  const std::string message = message_of<host::ShapeError>([] {
    feature_loss("feature.nst", student_map(), teacher_map().mean({2, 3}));
  });
  EXPECT_THAT(message, HasSubstr("not [4, 6, 4, 4] with [4, 6]; bind taps that are feature maps"));
}

TEST(Nst, RefusesMapsThatAreComparedAtOnePixel) { expect_to_refuse_one_pixel("feature.nst"); }

}  // namespace
}  // namespace retort::test::nst_test
