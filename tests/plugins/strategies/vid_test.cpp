#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/softplus.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/feature_loss.hpp"

namespace retort::test::vid_test {
namespace {

using testing::HasSubstr;

constexpr const char* kConvolutions[] = {"regressors.0.0.weight", "regressors.0.2.weight",
                                         "regressors.0.4.weight"};

/// The parameters of the reference run; its variance of 5 is exact to float64.
void set_parameters(StrategyRig& rig) {
  at::Tensor& scales = rig.parameter("log_scales.0");
  scales.set_data(at::full(scales.sizes(), std::log(std::exp(5 - 1e-5) - 1), scales.options()));
  for (int k = 0; k < 3; ++k) {
    at::Tensor& weight = rig.parameter(kConvolutions[k]);
    weight.set_data(from_formula(weight.sizes().vec(), [k](const auto& i) {
                      return 0.5 * std::sin(0.3 * i[0] + 0.7 * i[1] + k);
                    }).to(weight.scalar_type()));
  }
}

std::shared_ptr<StrategyRig> vid(const at::Tensor& student, const at::Tensor& teacher) {
  auto rig = feature_rig("feature.vid", {student}, {teacher});
  set_parameters(*rig);
  return rig;
}

Loss vid_loss(const at::Tensor& student, const at::Tensor& teacher) {
  return at_tap(vid(student, teacher), 0, {student}, {teacher});
}

// RepDistiller's VIDLoss, executed.
void expect_reference_value(at::ScalarType type) {
  const at::Tensor student = student_map().to(type), teacher = teacher_map().to(type);
  expect_golden(vid_loss(student, teacher), student, 0.857620317621, 0.00383487509);
}
TEST(Vid, GivesTheReferenceValueInFloat64) { expect_reference_value(at::kDouble); }
TEST(Vid, GivesTheReferenceValueInFloat32) { expect_reference_value(at::kFloat); }

at::Tensor directly(StrategyRig& rig, const at::Tensor& student, const at::Tensor& teacher) {
  at::Tensor x = at::conv2d(student, rig.parameter(kConvolutions[0])).relu();
  x = at::conv2d(at::conv2d(x, rig.parameter(kConvolutions[1])).relu(),
                 rig.parameter(kConvolutions[2]));
  const at::Tensor variance =
      ((rig.parameter("log_scales.0").exp() + 1).log() + 1e-5).reshape({1, -1, 1, 1});
  return (0.5 * ((x - teacher).square() / variance + variance.log())).mean();
}

TEST(Vid, AgreesWithTheAuthorsFormulaForOtherChannelsAndVariances) {
  const at::Tensor student = student_map().slice(1, 0, 4), teacher = teacher_map();
  const auto rig = vid(student, teacher);
  rig->parameter("log_scales.0").set_data(from_formula({6}, [](const auto& i) {
    return 2 * std::sin(1.3 * i[0]);
  }));
  const LossAndGradient wanted =
      differentiate([&](const at::Tensor& map) { return directly(*rig, map, teacher); }, student);
  expect_golden(at_tap(rig, 0, {student}, {teacher}), student, wanted.loss, wanted.norm());
}

TEST(Vid, HasTheGradientOfItsLoss) {
  const at::Tensor student = corner(student_map()), teacher = corner(teacher_map());
  expect_true_gradient(vid_loss(student, teacher), student);
}

// mdistiller keeps them in a plain list, out of the optimizer's and the checkpoint's sight.
TEST(Vid, LearnsItsVariances) {
  const auto rig = vid(student_map(), teacher_map());
  const host::Parameter* scales = rig->parameters().find("log_scales.0");
  ASSERT_NE(scales, nullptr);
  EXPECT_TRUE(scales->trained);
  expect_true_gradient(
      [&](const at::Tensor& values) {
        rig->parameter("log_scales.0") = values;
        return rig->loss(features_of({student_map()}), features_of({teacher_map()}));
      },
      rig->parameter("log_scales.0").detach().clone());
}

TEST(Vid, StartsFromTheGivenVariance) {
  for (const double variance : {0.001, 5.0, 1000.0}) {
    const auto rig = feature_rig("feature.vid", {student_map()}, {teacher_map()},
                                 {{"initial_variance", variance}});
    const at::Tensor scales = rig->parameter("log_scales.0").to(at::kDouble);
    EXPECT_NEAR((at::softplus(scales) + 1e-5)[0].item<double>(), variance,
                variance * tolerance_of(at::kFloat).loss);
  }
}

TEST(Vid, DoesNotOverflowForALargeVariance) {
  const at::Tensor student = student_map().to(at::kFloat), teacher = teacher_map().to(at::kFloat);
  const auto rig = vid(student, teacher);
  rig->parameter("log_scales.0").set_data(at::full({6}, 200, at::kFloat));  // exp(200) is infinite
  const LossAndGradient found = differentiate(at_tap(rig, 0, {student}, {teacher}), student);
  EXPECT_NEAR(found.loss, 0.5 * std::log(200.0), 0.01);
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Vid, AveragesTheLargerMap) {
  const at::Tensor large = large_student_map(), teacher = teacher_map();
  const at::Tensor small = at::adaptive_avg_pool2d(large, {4, 4});
  EXPECT_EQ(vid_loss(large, teacher)(large).item<double>(),
            vid_loss(small, teacher)(small).item<double>());
}

TEST(Vid, RefusesAVectorBeforeTraining) {
  const std::string message = message_of<host::ShapeError>([] {
    feature_loss("feature.vid", student_map().mean({2, 3}), teacher_map());
  });
  EXPECT_THAT(message, HasSubstr("not [4, 6] with [4, 6, 4, 4]; bind taps that are feature maps"));
}

}  // namespace
}  // namespace retort::test::vid_test
