#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::ttm_test {
namespace {

// The formula of the authors' TTM, typed anew; their code, executed, is within 1e-13 of it.
TEST(Ttm, GivesTheReferenceValue) {
  expect_reference("logits.ttm", {}, 1.62070008679, 0.215449464);
}

TEST(Ttm, IsKdForThePowerOne) {
  EXPECT_NEAR(golden_value("logits.ttm", {{"gamma", 1.0}}),
              golden_value("logits.kd", {{"temperature", 1.0}}), tolerance_of(at::kDouble).loss);
}

TEST(Ttm, HasTheGradientOfItsLoss) {
  expect_true_gradient(golden_loss("logits.ttm", {{"gamma", 0.4}}), student_logits());
}

TEST(Ttm, IsZeroWhereTheStudentHasTheSoftenedLogits) {
  const LossAndGradient found = differentiate(golden_loss("logits.ttm"), teacher_logits() * 0.1);
  EXPECT_NEAR(found.loss, 0, tolerance_of(at::kDouble).loss);
  EXPECT_NEAR(found.norm(), 0, tolerance_of(at::kDouble).gradient);
}

TEST(Ttm, IgnoresAShiftOfAllLogits) { expect_to_ignore_shifts("logits.ttm"); }

// Powers of the teacher's probabilities, as the authors have it, are 0 / 0 in float32 here.
TEST(Ttm, StaysFiniteOnExtremeLogits) { expect_finite_for_extreme_logits("logits.ttm"); }

TEST(Ttm, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.ttm"); }
TEST(Ttm, RefusesASingleClass) { expect_to_refuse_one_class("logits.ttm"); }

TEST(Ttm, CountsAnExcludedClassAsProbabilityZero) {
  expect_masked_reference("logits.ttm", {}, 0.890343346736);
}

}  // namespace
}  // namespace retort::test::ttm_test
