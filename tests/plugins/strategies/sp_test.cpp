#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::sp_test {
namespace {

// RepDistiller's Similarity, executed.
void expect_reference_value(at::ScalarType type) {
  expect_golden(feature_loss("relational.sp", teacher_map().to(type), teacher_map().to(type)),
                student_map().to(type), 0.00143382147273, 0.00238637318);
}
TEST(Sp, GivesTheReferenceValueInFloat64) { expect_reference_value(at::kDouble); }
TEST(Sp, GivesTheReferenceValueInFloat32) { expect_reference_value(at::kFloat); }

TEST(Sp, HasTheGradientOfItsLoss) {
  expect_true_gradient(feature_loss("relational.sp", teacher_embedding(), teacher_embedding()),
                       student_embedding());
}

// Rows of absolute sum 1, as torchdistill's SPKD makes them by mistake, would give 0.2551.
TEST(Sp, GivesTheRowsEuclideanLengthOne) {
  const at::Tensor student = at::tensor({3., 4.}, at::kDouble).reshape({2, 1});
  const at::Tensor teacher = at::tensor({1., 0., 0., 1.}, at::kDouble).reshape({2, 2});
  // Products [[9, 12], [12, 16]] make rows (.6, .8); the teacher's are (1, 0) and (0, 1).
  const Loss loss = loss_of(feature_rig("relational.sp", {student}, {teacher}), teacher);
  EXPECT_NEAR(value(loss, student), (.4 * .4 + .8 * .8 + .6 * .6 + .2 * .2) / 4,
              tolerance_of(at::kDouble).loss);
}

TEST(Sp, IsExactlyZeroWhereStudentEqualsTeacher) {
  const LossAndGradient found =
      differentiate(feature_loss("relational.sp", teacher_map(), teacher_map()), teacher_map());
  EXPECT_EQ(found.loss, 0);
  EXPECT_EQ(found.norm(), 0);
}

TEST(Sp, IgnoresTheScaleOfAllFeatures) {
  EXPECT_NEAR(value(feature_loss("relational.sp", teacher_map(), teacher_map()), teacher_map() * 5),
              0, tolerance_of(at::kDouble).loss);
}

TEST(Sp, HasAFiniteGradientForASampleOfZeros) {
  at::Tensor student = student_map();
  student[2].fill_(0);
  const LossAndGradient found =
      differentiate(feature_loss("relational.sp", teacher_map(), teacher_map()), student);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Sp, DeclaresThatItNeedsTwoSamples) {
  EXPECT_EQ(choose(RETORT_KIND_STRATEGY, "relational.sp").info.batch_min, 2);
}

}  // namespace
}  // namespace retort::test::sp_test
