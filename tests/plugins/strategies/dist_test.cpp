#include <ATen/ops/corrcoef.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>

#include "framework/bridge/warnings.hpp"
#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::dist_test {
namespace {

using testing::HasSubstr;

const Options kTemperature4 = {{"temperature", 4.0}};

// The authors' DIST, executed.
TEST(Dist, GivesTheReferenceValue) {
  expect_reference("logits.dist", {}, 1.803662582, 0.229536937);
}
TEST(Dist, GivesTheReferenceValueAtTemperature4) {
  expect_reference("logits.dist", kTemperature4, 29.613900438, 1.93159724);
}
TEST(Dist, GivesTheReferenceValueOfTheRelationOfClassesAlone) {
  expect_reference("logits.dist", {{"temperature", 4.0}, {"gamma", 0.0}}, 16.4994350933,
                   1.36450581);
}

TEST(Dist, HasTheGradientOfItsLoss) {
  expect_true_gradient(golden_loss("logits.dist", kTemperature4), student_logits());
}

// 1e-8 in the denominator: the authors' code gives this too. torchdistill's DIST+ adds a
// correlation where its complement is meant, so that it grows where the two agree.
TEST(Dist, IsAllButZeroWhereStudentEqualsTeacher) {
  const LossAndGradient found =
      differentiate(logits_loss("logits.dist", student_logits(), kTemperature4), student_logits());
  EXPECT_NEAR(found.loss, 7.2455e-05, 1e-9);
  EXPECT_LT(found.norm(), 1e-4);
}

// The paper's own definition of the relation, without the 1e-8.
TEST(Dist, IsTheMeanCorrelationOfTheSamples) {
  const at::Tensor a = at::softmax(student_logits(), 1), b = at::softmax(teacher_logits(), 1);
  double total = 0;
  for (int64_t n = 0; n < 4; ++n)
    total += at::corrcoef(at::stack({a[n], b[n]}))[0][1].item<double>();
  EXPECT_NEAR(golden_value("logits.dist", {{"gamma", 0.0}}), 1 - total / 4, 1e-6);
}

TEST(Dist, IgnoresTheOrderOfTheSamplesAndOfTheClasses) {
  const auto reversed = [](const at::Tensor& z) { return z.flip({0, 1}); };
  const double wanted = golden_value("logits.dist");
  const Loss loss = logits_loss("logits.dist", reversed(teacher_logits()));
  EXPECT_NEAR(loss(reversed(student_logits())).item<double>(), wanted,
              tolerance_of(at::kDouble).loss * wanted);
}

TEST(Dist, HasAFiniteGradientWhereAllSamplesAgree) {
  const at::Tensor alike = student_logits().slice(0, 0, 1).expand({4, 10}).contiguous();
  const LossAndGradient found = differentiate(golden_loss("logits.dist"), alike);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Dist, StaysFiniteOnExtremeLogits) { expect_finite_for_extreme_logits("logits.dist"); }

TEST(Dist, DeclaresThatItNeedsTwoSamples) {
  EXPECT_EQ(choose(RETORT_KIND_STRATEGY, "logits.dist").info.batch_min, 2);
}

TEST(Dist, RefusesToHaveNoTermAtAll) {
  const Options none = {{"beta", 0.0}, {"gamma", 0.0}};
  EXPECT_THAT(message_of<host::ConfigError>([&] { golden_loss("logits.dist", none); }),
              HasSubstr("beta = 0 and gamma = 0 leave no loss; set one of them above 0"));
}

TEST(Dist, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.dist"); }
TEST(Dist, RefusesASingleClass) { expect_to_refuse_one_class("logits.dist"); }

TEST(Dist, CountsAnExcludedClassAsProbabilityZero) {
  expect_masked_reference("logits.dist", {}, 0.670606510398);
}

TEST(Dist, TellsOfRelationsWithoutGradient) {
  host::forget_told_warnings();  // of the tests before
  testing::internal::CaptureStdout();
  logits_rig("logits.dist", teacher_logits().slice(0, 0, 2).slice(1, 0, 2));
  const std::string told = testing::internal::GetCapturedStdout();
  EXPECT_THAT(told, HasSubstr("two classes correlate by 1 or -1: inter has no gradient"));
  EXPECT_THAT(told, HasSubstr("two samples correlate by 1 or -1: intra has no gradient"));
}

}  // namespace
}  // namespace retort::test::dist_test
