#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/softmax.h>
#include <gmock/gmock.h>

#include <limits>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::cwd_test {
namespace {

using testing::HasSubstr;

// mmrazor's ChannelWiseDivergence, executed.
void expect_reference_value(at::ScalarType type) {
  expect_golden(feature_loss("feature.cwd", teacher_map().to(type), teacher_map().to(type)),
                student_map().to(type), 0.411679384307, 0.0467775954);
}
TEST(Cwd, GivesTheReferenceValueInFloat64) { expect_reference_value(at::kDouble); }
TEST(Cwd, GivesTheReferenceValueInFloat32) { expect_reference_value(at::kFloat); }

TEST(Cwd, HasTheGradientOfItsLoss) {
  expect_true_gradient(feature_loss("feature.cwd", teacher_map(), teacher_map()), student_map());
}

/// The definition with probabilities: t^2 / (C N) times the sum of p_t log(p_t / p_s).
at::Tensor definition(const at::Tensor& student, const at::Tensor& teacher, double t) {
  const auto look = [t](const at::Tensor& map) { return at::softmax(map.flatten(2) / t, 2); };
  const at::Tensor p = look(teacher), q = look(student);
  return t * t / static_cast<double>(p.size(0) * p.size(1)) * (p * (p / q).log()).sum();
}

TEST(Cwd, SoftensByTheTemperature) {
  const Options options = {{"temperature", 2.5}};
  expect_formula(
      feature_loss("feature.cwd", teacher_map(), teacher_map(), options),
      [](const at::Tensor& student) { return definition(student, teacher_map(), 2.5); },
      student_map());
}

TEST(Cwd, IsZeroForTheTeachersChannelsMovedByAConstant) {
  const at::Tensor moved = teacher_map() + teacher_map().amax({2, 3}, true) * 3;
  expect_zero(feature_loss("feature.cwd", teacher_map(), teacher_map()), moved);
}

TEST(Cwd, AlignsChannelsAndAveragesTheHigherMapDown) {
  const at::Tensor student = large_student_map().slice(1, 0, 5), teacher = teacher_map();
  const auto rig = feature_rig("feature.cwd", {student}, {teacher});
  const Loss formula = [&](const at::Tensor& large) {
    const at::Tensor aligned =
        at::conv2d(at::adaptive_avg_pool2d(large, {4, 4}), rig->parameter("align0.weight"),
                   rig->parameter("align0.bias"));
    return definition(aligned, teacher, 1);
  };
  expect_formula(loss_of(rig, teacher), formula, student);
}

TEST(Cwd, StaysFiniteOnExtremeMaps) {
  const at::Tensor teacher = teacher_map().to(at::kFloat) * 1e4;
  const LossAndGradient found = differentiate(feature_loss("feature.cwd", teacher, teacher),
                                              student_map().to(at::kFloat) * -1e4);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Cwd, RefusesATapThatIsNoMap) {
  const std::string message = message_of<host::ShapeError>(
      [] { feature_rig("feature.cwd", {student_map()}, {teacher_embedding()}); });
  EXPECT_THAT(message, HasSubstr("not [4, 6, 4, 4] with [4, 8]; bind taps that are feature maps"));
}

TEST(Cwd, RefusesMapsThatAreComparedAtOnePixel) { expect_to_refuse_one_pixel("feature.cwd"); }

TEST(Cwd, StaysNotFiniteForAPixelOfMinusInfinity) {
  at::Tensor broken = teacher_map();
  broken[0][0][0][0].fill_(-std::numeric_limits<double>::infinity());
  EXPECT_FALSE(std::isfinite(value(feature_loss("feature.cwd", broken, broken), student_map())));
}

}  // namespace
}  // namespace retort::test::cwd_test
