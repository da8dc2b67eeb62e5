#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mse_loss.h>
#include <gmock/gmock.h>

#include <limits>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::mgd_test {
namespace {

using testing::HasSubstr;
using Rig = std::shared_ptr<StrategyRig>;

const Options kChannels = {{"mask", int64_t{1}}};

at::Tensor position_draws() {
  return from_formula({4, 1, 4, 4}, [](const auto& i) {
    return .5 + .5 * std::sin(5. * i[0] + 3. * i[2] + 7. * i[3]);
  });
}

at::Tensor generated(StrategyRig& rig, const at::Tensor& masked) {
  const at::Tensor first = at::conv2d(masked, rig.parameter("generation0.0.weight"),
                                      rig.parameter("generation0.0.bias"), 1, 1);
  return at::conv2d(first.relu(), rig.parameter("generation0.2.weight"),
                    rig.parameter("generation0.2.bias"), 1, 1);
}

/// The authors' detection code: mat > 1 - lambda is zero, the sum of squares over N. Executed, it is
/// within 1e-13 of the strategy.
Loss authors_formula(const Rig& rig, const at::Tensor& teacher) {
  return [=](const at::Tensor& student) {
    const at::Tensor kept = (rig->draws.given.at("mask") <= 1 - .65).to(student.scalar_type());
    return at::mse_loss(generated(*rig, student * kept), teacher, at::Reduction::Sum) / 4;
  };
}

void expect_authors_value(at::ScalarType type) {
  const at::Tensor student = student_map().to(type), teacher = teacher_map().to(type);
  const Rig rig = feature_rig("feature.mgd", {student}, {teacher});
  rig->draws.given["mask"] = position_draws().to(at::kFloat);
  expect_formula(loss_of(rig, teacher), authors_formula(rig, teacher), student);
}
TEST(Mgd, AgreesWithTheAuthorsFormulaInFloat64) { expect_authors_value(at::kDouble); }
TEST(Mgd, AgreesWithTheAuthorsFormulaInFloat32) { expect_authors_value(at::kFloat); }

TEST(Mgd, HasTheGradientOfItsLoss) {
  const Rig rig = feature_rig("feature.mgd", {student_map()}, {teacher_map()});
  rig->draws.given["mask"] = position_draws();
  expect_true_gradient(loss_of(rig, teacher_map()), student_map());
}

TEST(Mgd, IsZeroWhereTheGeneratedMapIsTheTeachers) {
  const Rig rig = feature_rig("feature.mgd", {student_map()}, {teacher_map()});
  rig->draws.given["mask"] = at::full({4, 1, 4, 4}, .2);  // nothing is masked out
  const at::Tensor teacher = generated(*rig, student_map()).detach();
  expect_zero(loss_of(rig, teacher), student_map());
}

/// Where a position or channel takes no part: its gradient is exactly 0.
at::Tensor untouched(const LossAndGradient& found, at::IntArrayRef dims) {
  return found.gradient.abs().amax(dims, true) == 0;
}

TEST(Mgd, MasksPositionsOutInAllChannelsWhereTheDrawIsAboveOneMinusLambda) {
  const Rig rig = feature_rig("feature.mgd", {student_map()}, {teacher_map()});
  const LossAndGradient found = differentiate(loss_of(rig, teacher_map()), student_map());
  const at::Tensor draws = rig->draws.seen.at("mask");
  ASSERT_EQ(draws.sizes(), (std::vector<int64_t>{4, 1, 4, 4}));
  EXPECT_TRUE(at::equal(untouched(found, {1}), draws > 1 - .65));
}

TEST(Mgd, MasksChannelsOutInAllPositionsWhereTheDrawIsBelowLambda) {
  const Rig rig = feature_rig("feature.mgd", {student_map()}, {teacher_map()}, kChannels);
  const LossAndGradient found = differentiate(loss_of(rig, teacher_map()), student_map());
  const at::Tensor draws = rig->draws.seen.at("mask");
  ASSERT_EQ(draws.sizes(), (std::vector<int64_t>{4, 6, 1, 1}));
  EXPECT_TRUE(at::equal(untouched(found, {2, 3}), draws < .65));
}

TEST(Mgd, MasksOutAFractionOfLambda) {
  const at::Tensor map = student_map().repeat({1, 1, 8, 8});  // 4096 positions
  const Rig rig = feature_rig("feature.mgd", {map}, {map});
  const LossAndGradient found = differentiate(loss_of(rig, map), map);
  const double fraction = untouched(found, {1}).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(fraction, .65, kStandardErrors * std::sqrt(.65 * .35 / 4096));
}

TEST(Mgd, AlignsChannelsAndAveragesTheHigherMapDown) {
  const at::Tensor student = large_student_map().slice(1, 0, 5), teacher = teacher_map();
  const Rig rig = feature_rig("feature.mgd", {student}, {teacher});
  rig->draws.given["mask"] = position_draws();
  const Loss formula = [&](const at::Tensor& large) {
    const at::Tensor aligned =
        at::conv2d(at::adaptive_avg_pool2d(large, {4, 4}), rig->parameter("align0.weight"),
                   rig->parameter("align0.bias"));
    return authors_formula(rig, teacher)(aligned);
  };
  expect_formula(loss_of(rig, teacher), formula, student);
}

TEST(Mgd, HasNoAlignmentWhereTheChannelsAgree) {
  const Rig rig = feature_rig("feature.mgd", {student_map()}, {teacher_map()});
  EXPECT_EQ(rig->parameters().find("align0.weight"), nullptr);
}

TEST(Mgd, RefusesATapThatIsNoMap) {
  const std::string message = message_of<host::ShapeError>(
      [] { feature_rig("feature.mgd", {student_embedding()}, {teacher_map()}); });
  EXPECT_THAT(message, HasSubstr("not [4, 8] with [4, 6, 4, 4]; bind taps that are feature maps"));
}

TEST(Mgd, HidesNothingThatIsNotFiniteBehindTheMask) {
  at::Tensor broken = student_map();
  broken[0][0][0][0].fill_(std::numeric_limits<double>::quiet_NaN());
  for (const Options& options : {Options{}, kChannels}) {
    const Rig rig = feature_rig("feature.mgd", {student_map()}, {teacher_map()}, options);
    for (const double draw : {.2, .5, .9}) {  // 0.5 is masked out either way
      rig->draws.given["mask"] = at::full(
          options.empty() ? at::IntArrayRef{4, 1, 4, 4} : at::IntArrayRef{4, 6, 1, 1}, draw);
      EXPECT_TRUE(std::isnan(value(loss_of(rig, teacher_map()), broken))) << draw;
    }
  }
}

}  // namespace
}  // namespace retort::test::mgd_test
