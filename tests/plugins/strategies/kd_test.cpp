#include <gmock/gmock.h>

#include "framework/error.hpp"
#include "tests/framework/data/scratch.hpp"
#include "tests/plugins/strategies/strategy_rig.hpp"

namespace retort::test {
namespace {

using testing::HasSubstr;

Loss kd_against(const at::Tensor& teacher, double temperature = 4) {
  auto rig = std::make_shared<StrategyRig>("logits.kd", Options{{"temperature", temperature}},
                                           teacher.scalar_type());
  rig->setup(logits_of(teacher), logits_of(teacher));
  return
      [=](const at::Tensor& student) { return rig->loss(logits_of(student), logits_of(teacher)); };
}

// RepDistiller's DistillKL and mdistiller's kd_loss, both executed.
TEST(Kd, GivesTheReferenceValueInFloat64) {
  expect_golden(kd_against(teacher_logits()), student_logits(), 5.04623209048, 0.483829232);
}

TEST(Kd, GivesTheReferenceValueInFloat32) {
  expect_golden(kd_against(teacher_logits().to(at::kFloat)), student_logits().to(at::kFloat),
                5.04623209048, 0.483829232);
}

TEST(Kd, HasTheGradientOfItsLoss) {
  expect_true_gradient(kd_against(teacher_logits(), 1.5), student_logits());
}

TEST(Kd, IsZeroWhereStudentEqualsTeacher) {
  const LossAndGradient found = differentiate(kd_against(teacher_logits()), teacher_logits());
  EXPECT_NEAR(found.loss, 0, tolerance_of(at::kDouble).loss);
  EXPECT_NEAR(found.norm(), 0, tolerance_of(at::kDouble).gradient);
}

TEST(Kd, IgnoresAShiftOfAllLogits) {
  const Loss loss = kd_against(teacher_logits());
  const double here = loss(student_logits()).item<double>();
  EXPECT_NEAR(loss(student_logits() + 7).item<double>(), here,
              tolerance_of(at::kDouble).loss * here);
}

TEST(Kd, StaysFiniteOnExtremeLogits) {
  const at::Tensor teacher = teacher_logits().to(at::kFloat) * 1e4;
  const LossAndGradient found =
      differentiate(kd_against(teacher), student_logits().to(at::kFloat) * -1e4);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Kd, RefusesLogitsOfDifferentShapes) {
  const Loss loss = kd_against(teacher_logits());
  const at::Tensor narrow = student_logits().slice(1, 0, 1);
  const std::string message = message_of<host::Error>([&] { loss(narrow); });
  EXPECT_THAT(message, HasSubstr("loss(), step 0"));
  EXPECT_THAT(message, HasSubstr("kl_divergence of [4, 10] and [4, 1]; both must have the same"));
}

}  // namespace
}  // namespace retort::test
