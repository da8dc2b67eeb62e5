#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::lskd_test {
namespace {

// The authors' kd_loss with logit_stand, executed.
TEST(Lskd, GivesTheReferenceValue) {
  expect_reference("logits.lskd", {}, 0.825658514693, 0.0578485861);
}

TEST(Lskd, IsKdOfStandardisedLogits) {
  EXPECT_EQ(golden_value("logits.lskd"),
            golden_value("logits.kd", {{"standardize", true}, {"temperature", 2.0}}));
}

TEST(Lskd, HasTheGradientOfItsLoss) {
  expect_true_gradient(golden_loss("logits.lskd", {{"temperature", 3.0}}), student_logits());
}

TEST(Lskd, IsZeroWhereStudentEqualsTeacher) { expect_zero_where_equal("logits.lskd"); }

// The authors' 1e-7 beside a deviation of about 2 leaves a trace.
TEST(Lskd, IgnoresShiftAndPositiveScale) {
  const double here = golden_value("logits.lskd");
  const at::Tensor moved = student_logits() * 3 + 7;
  EXPECT_NEAR(golden_loss("logits.lskd")(moved).item<double>(), here, 1e-7 * here);
  EXPECT_GT(std::abs(golden_loss("logits.lskd")(-student_logits()).item<double>() - here), 0.01);
}

TEST(Lskd, HasAFiniteGradientWhereAllLogitsAgree) {
  const LossAndGradient found = differentiate(golden_loss("logits.lskd"), student_logits() * 0 + 1);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Lskd, StaysFiniteOnExtremeLogits) { expect_finite_for_extreme_logits("logits.lskd"); }

TEST(Lskd, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.lskd"); }
TEST(Lskd, RefusesASingleClass) { expect_to_refuse_one_class("logits.lskd"); }

}  // namespace
}  // namespace retort::test::lskd_test
