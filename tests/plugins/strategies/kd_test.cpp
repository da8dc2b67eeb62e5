#include <ATen/ops/log_softmax.h>

#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::kd_test {
namespace {

using testing::HasSubstr;

const Options kReverse = {{"divergence", int64_t{1}}};
Options jensen_shannon(double beta, double temperature) {
  return {{"divergence", int64_t{2}}, {"beta", beta}, {"temperature", temperature}};
}

// RepDistiller's DistillKL and mdistiller's kd_loss, both executed.
TEST(Kd, GivesTheReferenceValue) { expect_reference("logits.kd", {}, 5.04623209048, 0.483829232); }

// TRL's generalized_jsd_loss at 16 times its value: it has no square of the temperature.
TEST(Kd, GivesTheReferenceValueOfTheReverseDivergence) {
  expect_reference("logits.kd", kReverse, 16 * 0.342782947337, 16 * 0.035115011);
}

// TRL's trainer has a temperature, and its loss does not depend on it.
TEST(Kd, GivesTheReferenceValueOfTheMixtureAtEachTemperature) {
  expect_reference("logits.kd", jensen_shannon(0.5, 1), 0.369407547278, 0.0410443763);
  expect_reference("logits.kd", jensen_shannon(0.3, 1), 0.320088179014, 0.0334265979);
  expect_reference("logits.kd", jensen_shannon(0.3, 4), 16 * 0.0642459404439, 16 * 0.00586523947);
}

// Distiller of IntelLabs copies the student's logits out of the graph: its loss teaches nothing.
TEST(Kd, HasTheGradientOfItsLoss) {
  expect_true_gradient(golden_loss("logits.kd", {{"temperature", 1.5}}), student_logits());
  expect_true_gradient(golden_loss("logits.kd", {{"standardize", true}}), student_logits());
  expect_true_gradient(golden_loss("logits.kd", kReverse), student_logits());
  expect_true_gradient(golden_loss("logits.kd", jensen_shannon(0.3, 2)), student_logits());
}

// torchdistill's KDLoss loses the square where the task loss has the weight 0.
TEST(Kd, GrowsWithTheSquareOfTheTemperature) {
  const at::Tensor student = at::log_softmax(student_logits(), 1);
  const Loss cool = golden_loss("logits.kd", {{"temperature", 1.0}});
  const Loss warm = logits_loss("logits.kd", teacher_logits() * 3, {{"temperature", 3.0}});
  const double wanted = 9 * cool(student).item<double>();
  EXPECT_NEAR(warm(student * 3).item<double>(), wanted, tolerance_of(at::kDouble).loss * wanted);
}

TEST(Kd, IsZeroWhereStudentEqualsTeacher) {
  expect_zero_where_equal("logits.kd");
  expect_zero_where_equal("logits.kd", {{"standardize", true}});
  expect_zero_where_equal("logits.kd", kReverse);
  expect_zero_where_equal("logits.kd", jensen_shannon(0.3, 2));
}

TEST(Kd, IgnoresAShiftOfAllLogits) { expect_to_ignore_shifts("logits.kd"); }

TEST(Kd, IgnoresShiftAndScaleWhenStandardised) {
  const Loss loss = golden_loss("logits.kd", {{"standardize", true}});
  const double here = loss(student_logits()).item<double>();
  // The authors' 1e-7 beside a deviation of about 2 leaves a trace.
  EXPECT_NEAR(loss(student_logits() * 3 + 7).item<double>(), here, 1e-7 * here);
}

TEST(Kd, StaysFiniteOnExtremeLogits) {
  expect_finite_for_extreme_logits("logits.kd");
  expect_finite_for_extreme_logits("logits.kd", {{"standardize", true}});
  expect_finite_for_extreme_logits("logits.kd", kReverse);
  expect_finite_for_extreme_logits("logits.kd", jensen_shannon(0.5, 1));
}

TEST(Kd, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.kd"); }
TEST(Kd, RefusesASingleClass) { expect_to_refuse_one_class("logits.kd"); }

TEST(Kd, RefusesLogitsOfAnotherShapeThanSetUp) {
  const Loss loss = golden_loss("logits.kd");
  const at::Tensor narrow = student_logits().slice(1, 0, 1);
  const std::string message = message_of<host::Error>([&] { loss(narrow); });
  EXPECT_THAT(message, HasSubstr("loss(), step 0"));
  EXPECT_THAT(message, HasSubstr("kl_divergence of [4, 10] and [4, 1]; both must have the same"));
}

TEST(Kd, CountsAnExcludedClassAsProbabilityZero) {
  expect_masked_reference("logits.kd", {}, 2.75973248544);
  expect_masked_reference("logits.kd", jensen_shannon(0.5, 4), 0.909069251855);
}

TEST(Kd, IsInfiniteWhereOneSideExcludesWhatTheOtherDoesNot) {
  EXPECT_TRUE(std::isinf(masked_loss("logits.kd", kReverse)(unmasked_student()).item<double>()));
  const Loss forward = logits_loss("logits.kd", unmasked_student());
  EXPECT_TRUE(std::isinf(forward(masked_teacher()).item<double>()));
}

TEST(Kd, StaysNaNWhereTheTeacherExcludesEveryClass) {
  at::Tensor none = masked_teacher();
  none[0].fill_(-std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(logits_loss("logits.kd", none)(unmasked_student()).item<double>()));
}

TEST(Kd, TellsThatTwoStandardisedClassesHaveNoGradient) {
  testing::internal::CaptureStdout();
  logits_rig("logits.kd", teacher_logits().slice(1, 0, 2), {{"standardize", true}});
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              HasSubstr("with 2 classes, standardised logits tell only which class is"));
}

}  // namespace
}  // namespace retort::test::kd_test
