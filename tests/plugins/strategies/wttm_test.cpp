#include <ATen/ops/softmax.h>

#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::wttm_test {
namespace {

// The authors' WTTM, executed.
TEST(Wttm, GivesTheReferenceValue) {
  expect_reference("logits.wttm", {}, 8.3931819342, 1.0971968);
  expect_reference("logits.wttm", {{"gamma", 0.1}}, 10.9664486524, 1.45768131);
}

// For one sample it is the unweighted loss times the sum of the powers.
TEST(Wttm, WeighsASampleWithTheSumOfItsPowers) {
  const at::Tensor teacher = teacher_logits().slice(0, 1, 2),
                   student = student_logits().slice(0, 1, 2);
  const double weight = at::softmax(teacher, 1).pow(0.3).sum().item<double>();
  const Options options = {{"gamma", 0.3}};
  const double plain = logits_loss("logits.ttm", teacher, options)(student).item<double>();
  EXPECT_NEAR(logits_loss("logits.wttm", teacher, options)(student).item<double>(), weight * plain,
              tolerance_of(at::kDouble).loss * weight * plain);
}

TEST(Wttm, HasTheGradientOfItsLoss) {
  expect_true_gradient(golden_loss("logits.wttm", {{"gamma", 0.4}}), student_logits());
}

TEST(Wttm, IsZeroWhereTheStudentHasTheSoftenedLogits) {
  const LossAndGradient found = differentiate(golden_loss("logits.wttm"), teacher_logits() * 0.2);
  EXPECT_NEAR(found.loss, 0, tolerance_of(at::kDouble).loss);
  EXPECT_NEAR(found.norm(), 0, tolerance_of(at::kDouble).gradient);
}

TEST(Wttm, IgnoresAShiftOfAllLogits) { expect_to_ignore_shifts("logits.wttm"); }

TEST(Wttm, StaysFiniteOnExtremeLogits) { expect_finite_for_extreme_logits("logits.wttm"); }

TEST(Wttm, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.wttm"); }
TEST(Wttm, RefusesASingleClass) { expect_to_refuse_one_class("logits.wttm"); }

TEST(Wttm, CountsAnExcludedClassAsProbabilityZero) {
  expect_masked_reference("logits.wttm", {}, 1.18885494004);
}

}  // namespace
}  // namespace retort::test::wttm_test
