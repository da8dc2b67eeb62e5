#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::tf_kd_test {
namespace {

using testing::HasSubstr;

const Options kSmoothing = {{"mode", int64_t{1}}};

/// As a run without a teacher has it.
Loss alone(const Options& options = {}) {
  auto rig = std::make_shared<StrategyRig>("logits.tf_kd", options, at::kDouble);
  rig->setup(logits_of(student_logits()), logits_of(student_logits()));
  return [=](const at::Tensor& student) { return rig->loss(logits_of(student), {}); };
}

// The authors' loss_kd_regularization (less its cross-entropy) and loss_label_smoothing, executed.
TEST(TfKd, GivesTheReferenceValue) {
  expect_reference("logits.tf_kd", {}, 0.156721513245, 0.0210870542);
  expect_reference("logits.tf_kd", kSmoothing, 3.52191134438, 0.446035752);
}

TEST(TfKd, NeedsNoTeacher) {
  EXPECT_NE(choose(RETORT_KIND_STRATEGY, "logits.tf_kd").info.needs & RETORT_NEED_NO_TEACHER, 0U);
  EXPECT_EQ(alone()(student_logits()).item<double>(), golden_value("logits.tf_kd"));
  EXPECT_EQ(alone(kSmoothing)(student_logits()).item<double>(),
            golden_value("logits.tf_kd", kSmoothing));
}

TEST(TfKd, HasTheGradientOfItsLoss) {
  expect_true_gradient(alone({{"temperature", 2.0}, {"correct_prob", 0.8}}), student_logits());
  expect_true_gradient(alone(kSmoothing), student_logits());
}

// v / t is as far from 0 as the logits of a student that agrees.
TEST(TfKd, IsZeroWhereTheStudentIsTheVirtualTeacher) {
  at::Tensor student = student_logits() * 0;
  student.scatter_(1, golden_labels().unsqueeze(1), (0.99 - 0.01 / 9) / 20);
  const LossAndGradient found = differentiate(alone(), student);
  EXPECT_NEAR(found.loss, 0, tolerance_of(at::kDouble).loss);
  EXPECT_NEAR(found.norm(), 0, tolerance_of(at::kDouble).gradient);
}

TEST(TfKd, IsTheCrossEntropyForNoSmoothing) {
  const Options none = {{"mode", int64_t{1}}, {"smoothing", 0.0}};
  // The cross-entropy of the golden logits.
  EXPECT_NEAR(alone(none)(student_logits()).item<double>(), 3.47819130445, 1e-9);
}

TEST(TfKd, StaysFiniteOnExtremeLogits) {
  expect_finite_for_extreme_logits("logits.tf_kd");
  expect_finite_for_extreme_logits("logits.tf_kd", kSmoothing);
}

TEST(TfKd, RefusesAVirtualTeacherThatPrefersNoLabel) {
  EXPECT_THAT(message_of<host::ConfigError>([] {
                alone({{"correct_prob", 0.1}});
              }),
              HasSubstr("no likelier than any other of the 10 classes; set it above 1 / 10"));
}

TEST(TfKd, RefusesASingleClass) {
  expect_to_refuse_one_class("logits.tf_kd");
  expect_to_refuse_one_class("logits.tf_kd", kSmoothing);
}

}  // namespace
}  // namespace retort::test::tf_kd_test
