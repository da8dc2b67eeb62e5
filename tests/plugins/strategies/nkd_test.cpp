#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>

#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::nkd_test {
namespace {

using testing::HasSubstr;

// The formula of the authors' NKDLoss, typed anew; their code, executed, is within 1e-13 of it.
TEST(Nkd, GivesTheReferenceValue) {
  expect_reference("logits.nkd", {}, 5.84946586656, 0.489280913);
}

/// As the authors have it: the other classes picked by a mask.
at::Tensor directly(const at::Tensor& student, double t, double gamma) {
  const at::Tensor teacher = teacher_logits(), labels = golden_labels().unsqueeze(1);
  const at::Tensor own =
      at::softmax(teacher, 1).gather(1, labels) * at::log_softmax(student, 1).gather(1, labels);
  const at::Tensor mask = student.detach().isfinite().scatter(1, labels, 0);
  const auto others = [&](const at::Tensor& z) { return z.index({mask}).reshape({4, 9}) / t; };
  const at::Tensor cross =
      (at::softmax(others(teacher), 1) * at::log_softmax(others(student), 1)).sum(1);
  return -own.mean() - gamma * t * t * cross.mean();
}

TEST(Nkd, AgreesWithTheAuthorsFormulaAtOtherTemperatures) {
  const Loss loss = golden_loss("logits.nkd", {{"temperature", 3.0}, {"gamma", 0.7}});
  expect_formula(
      loss, [](const at::Tensor& student) { return directly(student, 3, 0.7); }, student_logits());
}

TEST(Nkd, HasTheGradientOfItsLoss) {
  expect_true_gradient(golden_loss("logits.nkd", {{"temperature", 2.0}}), student_logits());
}

TEST(Nkd, IgnoresAShiftOfAllLogits) { expect_to_ignore_shifts("logits.nkd"); }

// It is a cross-entropy: where the distributions over the others agree, what is left is entropy,
// and no gradient but that of the label.
TEST(Nkd, HasItsMinimumOverTheOthersWhereStudentEqualsTeacher) {
  const at::Tensor teacher = teacher_logits();
  const at::Tensor others =
      differentiate(golden_loss("logits.nkd", {{"gamma", 1.5}}), teacher).gradient -
      differentiate(golden_loss("logits.nkd", {{"gamma", 0.0}}), teacher).gradient;
  EXPECT_NEAR(others.norm().item<double>(), 0, tolerance_of(at::kDouble).gradient);
}

// A mask that keeps the label lets its logit into the distribution over the others.
TEST(Nkd, LeavesTheClassOutOfTheOthers) {
  const auto others = [](const at::Tensor& student) {
    return golden_loss("logits.nkd", {{"gamma", 1.0}})(student).item<double>() -
           golden_loss("logits.nkd", {{"gamma", 0.0}})(student).item<double>();
  };
  const at::Tensor sure =
      student_logits().scatter_add(1, golden_labels().unsqueeze(1), student_logits().abs() + 3);
  EXPECT_NEAR(others(sure), others(student_logits()),
              tolerance_of(at::kDouble).loss * others(sure));
}

TEST(Nkd, StaysFiniteOnExtremeLogits) { expect_finite_for_extreme_logits("logits.nkd"); }

TEST(Nkd, TellsThatTwoClassesHaveNoOthers) {
  testing::internal::CaptureStdout();
  logits_rig("logits.nkd", teacher_logits().slice(1, 0, 2));
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              HasSubstr("with 2 classes the term of the other classes is 0"));
}

TEST(Nkd, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.nkd"); }
TEST(Nkd, RefusesASingleClass) { expect_to_refuse_one_class("logits.nkd"); }

// As with a teacher's logit of -1e300.
TEST(Nkd, CountsAnExcludedClassAsProbabilityZero) {
  expect_masked_reference("logits.nkd", {}, 0.348371628205);
}

}  // namespace
}  // namespace retort::test::nkd_test
