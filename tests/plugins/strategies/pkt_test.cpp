#include <gmock/gmock.h>

#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::pkt_test {
namespace {

// RepDistiller's PKT, executed.
void expect_reference_value(at::ScalarType type) {
  expect_golden(
      feature_loss("relational.pkt", teacher_embedding().to(type), teacher_embedding().to(type)),
      student_embedding().to(type), 0.00671418979404, 0.0158130047);
}
TEST(Pkt, GivesTheReferenceValueInFloat64) { expect_reference_value(at::kDouble); }
TEST(Pkt, GivesTheReferenceValueInFloat32) { expect_reference_value(at::kFloat); }

TEST(Pkt, HasTheGradientOfItsLoss) {
  expect_true_gradient(feature_loss("relational.pkt", teacher_embedding(), teacher_embedding()),
                       student_embedding());
}

TEST(Pkt, IsZeroWhereStudentEqualsTeacher) {
  const Loss loss = feature_loss("relational.pkt", teacher_embedding(), teacher_embedding());
  EXPECT_EQ(value(loss, teacher_embedding()), 0);
  expect_zero(loss, teacher_embedding());
}

TEST(Pkt, IgnoresTheLengthOfEachVector) {
  const at::Tensor scaled = teacher_embedding() * teacher_embedding().square().sum(1, true);
  EXPECT_NEAR(
      value(feature_loss("relational.pkt", teacher_embedding(), teacher_embedding()), scaled), 0,
      tolerance_of(at::kDouble).loss);
}

TEST(Pkt, FlattensFeatureMaps) {
  EXPECT_EQ(
      value(feature_loss("relational.pkt", teacher_map(), teacher_map()), student_map()),
      value(feature_loss("relational.pkt", teacher_map().flatten(1), teacher_map().flatten(1)),
            student_map().flatten(1)));
}

TEST(Pkt, HasAFiniteGradientForAVectorOfZeros) {
  at::Tensor student = student_embedding();
  student[1].fill_(0);
  const LossAndGradient found = differentiate(
      feature_loss("relational.pkt", teacher_embedding(), teacher_embedding()), student);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Pkt, DeclaresThatItNeedsTwoSamples) {
  EXPECT_EQ(choose(RETORT_KIND_STRATEGY, "relational.pkt").info.batch_min, 2);
}

}  // namespace
}  // namespace retort::test::pkt_test
