#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/mse_loss.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/strategy_rig.hpp"

namespace retort::test::fitnet_test {
namespace {

using testing::HasSubstr;

std::shared_ptr<StrategyRig> fitnet(const std::vector<at::Tensor>& student,
                                    const std::vector<at::Tensor>& teacher) {
  auto rig = std::make_shared<StrategyRig>("feature.fitnet", Options{}, student[0].scalar_type());
  rig->setup(features_of(student), features_of(teacher));
  return rig;
}

at::Tensor& parameter(StrategyRig& rig, const std::string& name) {
  return rig.parameters().find(name)->master;
}

Loss fitnet_against(const std::shared_ptr<StrategyRig>& rig, const at::Tensor& teacher) {
  return [=](const at::Tensor& student) {
    return rig->loss(features_of({student}), features_of({teacher}));
  };
}

/// Makes the regressor of a tap answer x + shift: the convolution is the identity, batch norm
/// undoes itself, and a large shift keeps the ReLU from cutting.
void make_identity(StrategyRig& rig, const std::string& name, const at::Tensor& student,
                   double shift) {
  const at::Tensor mean = student.mean({0, 2, 3});
  const at::Tensor var = (student - mean.reshape({1, -1, 1, 1})).square().mean({0, 2, 3});
  const int64_t channels = student.size(1);
  parameter(rig, name + ".conv.weight")
      .set_data(at::eye(channels, student.options()).reshape({channels, channels, 1, 1}));
  parameter(rig, name + ".bn.weight").set_data((var + 1e-5).sqrt());
  parameter(rig, name + ".bn.bias").set_data(mean + shift);
}

// RepDistiller's HintLoss, executed: the plain mean squared error.
void expect_reference_value(at::ScalarType type) {
  constexpr double kShift = 2;
  const at::Tensor student = student_map().to(type), teacher = teacher_map().to(type);
  const auto rig = fitnet({student}, {teacher});
  make_identity(*rig, "regressor0", student, kShift);
  const double loss = fitnet_against(rig, teacher + kShift)(student).item<double>();
  EXPECT_NEAR(loss, 1.02762151451, tolerance_of(type).loss);
}
TEST(FitNet, GivesTheReferenceValueThroughAnIdentityInFloat64) {
  expect_reference_value(at::kDouble);
}
TEST(FitNet, GivesTheReferenceValueThroughAnIdentityInFloat32) {
  expect_reference_value(at::kFloat);
}

at::Tensor directly(StrategyRig& rig, const at::Tensor& student, const at::Tensor& teacher) {
  const at::Tensor mapped = at::conv2d(student, parameter(rig, "regressor0.conv.weight"),
                                       parameter(rig, "regressor0.conv.bias"));
  const at::Tensor normal =
      at::batch_norm(mapped, parameter(rig, "regressor0.bn.weight"),
                     parameter(rig, "regressor0.bn.bias"), {}, {}, true, 0.1, 1e-5, false);
  return at::mse_loss(normal.relu(), teacher);
}

TEST(FitNet, AgreesWithLibTorchInLossAndGradient) {
  const auto rig = fitnet({student_map()}, {teacher_map()});
  const LossAndGradient wanted = differentiate(
      [&](const at::Tensor& student) { return directly(*rig, student, teacher_map()); },
      student_map());
  expect_golden(fitnet_against(rig, teacher_map()), student_map(), wanted.loss, wanted.norm());
}

TEST(FitNet, HasTheGradientOfItsLoss) {
  const auto corner = [](const at::Tensor& map) {
    return map.slice(1, 0, 2).slice(2, 0, 2).slice(3, 0, 2).contiguous();  // [4, 2, 2, 2]
  };
  const at::Tensor student = corner(student_map()), teacher = corner(teacher_map());
  expect_true_gradient(fitnet_against(fitnet({student}, {teacher}), teacher), student);
}

TEST(FitNet, TrainsItsRegressor) {
  const auto rig = fitnet({student_map()}, {teacher_map()});
  fitnet_against(rig, teacher_map())(student_map()).backward();
  for (const host::Parameter& parameter : rig->parameters().all()) {
    if (!parameter.trained) continue;
    ASSERT_TRUE(parameter.master.grad().defined()) << parameter.name;
    EXPECT_TRUE(all_finite(parameter.master.grad())) << parameter.name;
  }
}

TEST(FitNet, SumsTheLossesOfSeveralTaps) {
  const at::Tensor student = student_map(), teacher = teacher_map();
  const auto rig = fitnet({student, student}, {teacher, teacher});
  make_identity(*rig, "regressor0", student, 2);
  make_identity(*rig, "regressor1", student, 2);
  const at::Tensor loss =
      rig->loss(features_of({student, student}), features_of({teacher + 2, teacher + 2}));
  EXPECT_NEAR(loss.item<double>(), 2 * 1.02762151451, 2 * tolerance_of(at::kDouble).loss);
}

std::vector<int64_t> kernel_from_to(int64_t student, int64_t teacher) {
  const at::Tensor from = student_map().mean({2, 3}, true).expand({4, 6, student, student});
  const at::Tensor to =
      teacher_map().mean({2, 3}, true).slice(1, 0, 5).expand({4, 5, teacher, teacher});
  const auto rig = fitnet({from}, {to});
  EXPECT_TRUE(all_finite(fitnet_against(rig, to)(from)));
  return parameter(*rig, "regressor0.conv.weight").sizes().vec();
}

TEST(FitNet, ChoosesTheConvolutionByTheHeights) {
  using Sizes = std::vector<int64_t>;
  EXPECT_EQ(kernel_from_to(8, 4), (Sizes{5, 6, 3, 3}));  // stride 2
  EXPECT_EQ(kernel_from_to(4, 8), (Sizes{6, 5, 4, 4}));  // transposed, stride 2
  EXPECT_EQ(kernel_from_to(4, 4), (Sizes{5, 6, 1, 1}));
  EXPECT_EQ(kernel_from_to(7, 4), (Sizes{5, 6, 4, 4}));
}

std::string refusal_of(const at::Tensor& student, const at::Tensor& teacher) {
  return message_of<host::ShapeError>([&] { fitnet({student}, {teacher}); });
}

TEST(FitNet, RefusesTapsThatNoRegressorFits) {
  const at::Tensor map = teacher_map();
  EXPECT_THAT(
      refusal_of(map.slice(2, 0, 1), map),
      HasSubstr("no adapter from height 1 (student) up to 4 (teacher); bind a student tap"));
  EXPECT_THAT(
      refusal_of(map, map.slice(3, 0, 1)),
      HasSubstr("makes width 4 of 4, not the teacher's 1; bind taps of the same proportions"));
  EXPECT_THAT(refusal_of(map.mean({2, 3}), map),
              HasSubstr("not [4, 6] to [4, 6, 4, 4]; bind taps"));
}

}  // namespace
}  // namespace retort::test::fitnet_test
