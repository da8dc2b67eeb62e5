#include <ATen/ops/softmax.h>

#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::dkd_test {
namespace {

using testing::HasSubstr;

Options weights(double alpha, double beta) { return {{"alpha", alpha}, {"beta", beta}}; }

// mdistiller's dkd_loss and mmrazor's DKDLoss, both executed.
TEST(Dkd, GivesTheReferenceValue) { expect_reference("logits.dkd", {}, 40.9362881025, 4.10487975); }
TEST(Dkd, GivesTheReferenceValueOfTheOtherClassesAlone) {
  expect_reference("logits.dkd", weights(0, 1), 5.06965053315, 0.513664553);
}

TEST(Dkd, HasTheGradientOfItsLoss) {
  expect_true_gradient(golden_loss("logits.dkd"), student_logits());
  expect_true_gradient(golden_loss("logits.dkd", {{"standardize", true}, {"temperature", 1.0}}),
                       student_logits());
}

TEST(Dkd, IsZeroWhereStudentEqualsTeacher) { expect_zero_where_equal("logits.dkd"); }

TEST(Dkd, IgnoresAShiftOfAllLogits) { expect_to_ignore_shifts("logits.dkd"); }

// KD = TCKD + (1 - p_t(y)) NCKD, the paper's equation 6, for one sample after the other.
TEST(Dkd, SplitsKdIntoItsTwoTerms) {
  double total = 0;
  for (int64_t n = 0; n < 4; ++n) {
    const at::Tensor teacher = teacher_logits().slice(0, n, n + 1);
    const at::Tensor label = golden_labels().slice(0, n, n + 1);
    const double p = at::softmax(teacher / 4, 1)[0][label.item<int64_t>()].item<double>();
    const auto rig = logits_rig("logits.dkd", teacher, weights(1, 1 - p));
    rig->labels = label;
    total += logits_loss(rig, teacher)(student_logits().slice(0, n, n + 1)).item<double>();
  }
  EXPECT_NEAR(total / 4, golden_value("logits.kd"), tolerance_of(at::kDouble).loss * total);
}

TEST(Dkd, ComparesStandardisedLogitsWhenTold) {
  const Loss plain = golden_loss("logits.dkd");
  const auto standardised = [](const at::Tensor& z) {
    return (z - z.mean(1, true)) / (z.std(1, true, true) + 1e-7);
  };
  const Loss loss = golden_loss("logits.dkd", {{"standardize", true}});
  const Loss formula = [&](const at::Tensor& z) {
    return logits_loss("logits.dkd", standardised(teacher_logits()))(standardised(z));
  };
  expect_formula(loss, formula, student_logits());
  EXPECT_NE(golden_value("logits.dkd"), loss(student_logits()).item<double>());
}

// In probabilities, as the authors have it, the gradient is NaN here.
TEST(Dkd, StaysFiniteOnExtremeLogits) {
  expect_finite_for_extreme_logits("logits.dkd");
  expect_finite_for_extreme_logits("logits.dkd", {{"temperature", 0.5}});
}

// A mask of -1000 leaves a class in whose logit is larger than 1000 temperatures.
TEST(Dkd, LeavesTheClassOutOfTheOthersHoweverSureOfIt) {
  at::Tensor sure = teacher_logits();
  sure.scatter_(1, golden_labels().unsqueeze(1), 1e5);
  const Options others = weights(0, 1);
  const double wanted = golden_value("logits.dkd", others);
  EXPECT_NEAR(logits_loss("logits.dkd", sure, others)(student_logits()).item<double>(), wanted,
              tolerance_of(at::kDouble).loss * wanted);
}

TEST(Dkd, TellsThatTwoClassesHaveNoOthers) {
  const at::Tensor teacher = teacher_logits().slice(1, 0, 2),
                   student = student_logits().slice(1, 0, 2);
  testing::internal::CaptureStdout();
  const auto rig = logits_rig("logits.dkd", teacher, weights(1, 8));
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              HasSubstr("with 2 classes there is one class besides the label, so NCKD is 0"));
  const double wanted = logits_loss("logits.kd", teacher)(student).item<double>();
  EXPECT_NEAR(logits_loss(rig, teacher)(student).item<double>(), wanted,
              tolerance_of(at::kDouble).loss * wanted);
}

TEST(Dkd, SaysNothingOfTenClasses) {
  testing::internal::CaptureStdout();
  logits_rig("logits.dkd", teacher_logits());
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST(Dkd, RefusesToHaveNoTermAtAll) {
  EXPECT_THAT(message_of<host::ConfigError>([] { golden_loss("logits.dkd", weights(0, 0)); }),
              HasSubstr("alpha = 0 and beta = 0 leave no loss; set one of them above 0"));
}

TEST(Dkd, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.dkd"); }
TEST(Dkd, RefusesASingleClass) { expect_to_refuse_one_class("logits.dkd"); }

TEST(Dkd, CountsAnExcludedClassAsProbabilityZero) {
  expect_masked_reference("logits.dkd", {}, 30.5247955576);
}

TEST(Dkd, RefusesTheOtherClassesAloneWhereThereIsOne) {
  const std::string message = message_of<host::ConfigError>(
      [] { logits_rig("logits.dkd", teacher_logits().slice(1, 0, 2), weights(0, 8)); });
  EXPECT_THAT(message, HasSubstr("alpha = 0 leaves no loss: with 2 classes there is one class"));
}

}  // namespace
}  // namespace retort::test::dkd_test
