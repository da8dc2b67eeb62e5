#include <ATen/ops/full.h>

#include <utility>

#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::ctkd_test {
namespace {

std::shared_ptr<StrategyRig> at_epoch(int64_t epoch, const Options& options = {}) {
  auto rig = logits_rig("logits.ctkd", teacher_logits(), options);
  rig->epoch = epoch;
  return rig;
}

double gradient_of_theta(StrategyRig& rig) {
  at::Tensor& theta = rig.parameter("theta");
  theta.mutable_grad().reset();
  rig.loss(logits_of(student_logits()), logits_of(teacher_logits())).backward();
  return theta.grad().item<double>();
}

// The authors' DistillKL with Global_T, executed; the student's side does not depend on the epoch.
TEST(Ctkd, GivesTheReferenceValue) {
  expect_reference("logits.ctkd", {}, 5.99843281491, 0.542911873);
  expect_golden(logits_loss(at_epoch(59), teacher_logits()), student_logits(), 5.99843281491,
                0.542911873);
}

// The same run at the authors' epochs 1, 4, 10 and 60, which they count from 1.
TEST(Ctkd, RaisesTheTemperatureAgainstTheStudentEverHarder) {
  const std::pair<int64_t, double> wanted[] = {
      {0, -0.0017074053708}, {3, -0.0241051107446}, {9, -0.0697704879813}, {59, -0.0697704879813}};
  for (const auto& [epoch, gradient] : wanted) {
    EXPECT_NEAR(gradient_of_theta(*at_epoch(epoch)), gradient,
                -tolerance_of(at::kDouble).gradient * gradient)
        << epoch;
  }
}

// After the ramp the gradient is that of the loss, with the other sign.
TEST(Ctkd, ReversesTheGradientOfTheTemperature) {
  const auto rig = at_epoch(10);
  const double reversed = gradient_of_theta(*rig);
  double values[2];
  for (const int side : {0, 1}) {
    rig->parameter("theta").set_data(
        at::full({}, 1 + (side == 1 ? kDifferenceWidth : -kDifferenceWidth), at::kDouble));
    values[side] = logits_loss(rig, teacher_logits())(student_logits()).item<double>();
  }
  EXPECT_NEAR(reversed, -(values[1] - values[0]) / (2 * kDifferenceWidth), kDifferenceTolerance);
}

TEST(Ctkd, TakesItsTemperatureFromTheRangeGiven) {
  const auto rig = at_epoch(0, {{"t_start", 2.0}, {"t_end", 4.0}});
  rig->parameter("theta").set_data(at::full({}, 0, at::kDouble));  // half way: 2 + 4 / 2
  const double wanted = golden_value("logits.kd", {{"temperature", 4.0}});
  EXPECT_NEAR(logits_loss(rig, teacher_logits())(student_logits()).item<double>(), wanted,
              tolerance_of(at::kDouble).loss * wanted);
}

TEST(Ctkd, RampsOverTheEpochsGiven) {
  EXPECT_NEAR(gradient_of_theta(*at_epoch(1, {{"ramp_epochs", int64_t{4}}})),
              gradient_of_theta(*at_epoch(4)), tolerance_of(at::kDouble).gradient);
}

TEST(Ctkd, HasTheGradientOfItsLoss) {
  expect_true_gradient(golden_loss("logits.ctkd"), student_logits());
  expect_true_gradient(golden_loss("logits.ctkd", {{"standardize", true}}), student_logits());
}

// The code of the logit standardisation authors has the flag the other way round.
TEST(Ctkd, StandardisesWhenToldAndNotOtherwise) {
  const at::Tensor scaled = student_logits() * 3;
  const Loss on = golden_loss("logits.ctkd", {{"standardize", true}});
  const Loss off = golden_loss("logits.ctkd", {{"standardize", false}});
  const double standardised = on(student_logits()).item<double>();
  EXPECT_NEAR(on(scaled).item<double>(), standardised, 1e-6 * standardised);
  EXPECT_GT(off(scaled).item<double>(), 1.5 * off(student_logits()).item<double>());
}

TEST(Ctkd, IsZeroWhereStudentEqualsTeacher) { expect_zero_where_equal("logits.ctkd"); }

TEST(Ctkd, StaysFiniteOnExtremeLogits) { expect_finite_for_extreme_logits("logits.ctkd"); }

TEST(Ctkd, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.ctkd"); }
TEST(Ctkd, RefusesASingleClass) { expect_to_refuse_one_class("logits.ctkd"); }

TEST(Ctkd, CountsAnExcludedClassAsProbabilityZero) {
  expect_masked_reference("logits.ctkd", {}, 48.0001203817);
  const auto rig = masked_rig("logits.ctkd");
  rig->epoch = 59;
  logits_loss(rig, masked_teacher())(unmasked_student()).backward();
  EXPECT_LT(rig->parameter("theta").grad().item<double>(), 0);
}

}  // namespace
}  // namespace retort::test::ctkd_test
