#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>

#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::wsl_test {
namespace {

// mmrazor's WSLD at temperature 2 and weight 1, executed.
TEST(Wsl, GivesTheReferenceValue) {
  expect_reference("logits.wsl", {}, 5.40391515333, 0.222600812);
}

at::Tensor misfit(const at::Tensor& logits) {
  return at::cross_entropy_loss(logits, golden_labels(), {}, at::Reduction::None);
}

/// The weights at one student's logits, the rest of the loss at another's.
at::Tensor directly(const at::Tensor& student, const at::Tensor& weighed, double t) {
  const at::Tensor teacher = teacher_logits();
  const at::Tensor weights = 1 - (-(misfit(weighed) / (misfit(teacher) + 1e-7)).clamp_min(0)).exp();
  const at::Tensor soft = -(at::softmax(teacher / t, 1) * at::log_softmax(student / t, 1)).sum(1);
  return t * t * (weights * soft).mean();
}

TEST(Wsl, HasTheGradientOfItsLossWithTheWeightsHeld) {
  const at::Tensor here = student_logits();
  const Loss held = [&](const at::Tensor& student) { return directly(student, here, 4); };
  expect_formula(golden_loss("logits.wsl", {{"temperature", 4.0}}), held, here);
  expect_true_gradient(held, here);
}

TEST(Wsl, WeighsDownWhatTheStudentFitsBetterThanTheTeacher) {
  at::Tensor fitted = student_logits();
  fitted.scatter_(1, golden_labels().unsqueeze(1), 12);
  const LossAndGradient found = differentiate(golden_loss("logits.wsl"), fitted);
  const LossAndGradient plain =
      differentiate(golden_loss("logits.kd", {{"temperature", 2.0}}), fitted);
  EXPECT_LT(found.norm(), 0.05 * plain.norm());
}

TEST(Wsl, IgnoresAShiftOfAllLogits) { expect_to_ignore_shifts("logits.wsl"); }

TEST(Wsl, StaysFiniteOnExtremeLogits) { expect_finite_for_extreme_logits("logits.wsl"); }

TEST(Wsl, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.wsl"); }
TEST(Wsl, RefusesASingleClass) { expect_to_refuse_one_class("logits.wsl"); }

// The weights hold still: they have no gradient, and finite differences would see one.
TEST(Wsl, CountsAnExcludedClassAsProbabilityZero) {
  const LossAndGradient found = differentiate(masked_loss("logits.wsl"), unmasked_student());
  EXPECT_NEAR(found.loss, 1.90487739693, tolerance_of(at::kDouble).loss * found.loss);
  EXPECT_NEAR(found.norm(), 0.194993772994, tolerance_of(at::kDouble).gradient);
  const LossAndGradient both = differentiate(masked_loss("logits.wsl"), masked_teacher());
  EXPECT_TRUE(std::isfinite(both.loss));
  EXPECT_TRUE(all_finite(both.gradient));
}

}  // namespace
}  // namespace retort::test::wsl_test
