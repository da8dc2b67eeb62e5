#include <gmock/gmock.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/framework/bridge/door_rig.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using testing::HasSubstr;

/// Draws as a strategy does; throws what the SDK throws.
at::Tensor draw(retort_draw_kind kind, const char* name, std::vector<int64_t> sizes, double a,
                double b) {
  retort_draw_spec spec{};
  spec.struct_size = sizeof(spec);
  spec.kind = kind;
  spec.name = name;
  spec.rank = static_cast<uint32_t>(sizes.size());
  spec.sizes = sizes.data();
  spec.a = a;
  spec.b = b;
  retort_tensor tensor = nullptr;
  detail::check(host::host_table().draw(&spec, &tensor, nullptr));
  return to_host(Tensor::adopt(tensor));
}
/// One draw of a step of its own: nothing was drawn in it.
at::Tensor mask(InPlugin& plugin, const char* name = "mask") {
  plugin.scope.drawn.clear();
  return draw(RETORT_DRAW_UNIFORM, name, {64}, 0, 1);
}

TEST(Draws, AreAFunctionOfSeedComponentNameAndStep) {
  InPlugin plugin;
  const at::Tensor here = mask(plugin);
  EXPECT_TRUE(mask(plugin).equal(here));
  EXPECT_FALSE(mask(plugin, "other").equal(here));
  plugin.scope.step = 13;
  EXPECT_FALSE(mask(plugin).equal(here));
  plugin.scope.step = 12;
  EXPECT_TRUE(mask(plugin).equal(here));
  plugin.scope.seed = 2;
  EXPECT_FALSE(mask(plugin).equal(here));
  plugin.scope.seed = 1;
  plugin.scope.instance = "logits.other";
  EXPECT_FALSE(mask(plugin).equal(here));
}

TEST(Draws, BeginAlikeWhateverTheirLength) {
  InPlugin plugin;
  const at::Tensor few = draw(RETORT_DRAW_NORMAL, "noise", {7}, 0, 1);
  plugin.scope.drawn.clear();
  EXPECT_TRUE(few.equal(draw(RETORT_DRAW_NORMAL, "noise", {64}, 0, 1).narrow(0, 0, 7)));
}

/// Mean and variance of a draw against the distribution's own.
void expect_moments(const at::Tensor& numbers, double mean, double variance) {
  const double n = static_cast<double>(numbers.numel());
  EXPECT_NEAR(numbers.to(at::kDouble).mean().item<double>(), mean,
              kStandardErrors * std::sqrt(variance / n));
  // The variance of a sample's variance is at most 2 / n for these distributions.
  EXPECT_NEAR(numbers.to(at::kDouble).var().item<double>(), variance,
              kStandardErrors * variance * std::sqrt(2 / n));
}

TEST(Draws, OfUniformNumbersHaveTheirMoments) {
  const InPlugin plugin;
  const at::Tensor numbers = draw(RETORT_DRAW_UNIFORM, "u", {100, 1000}, -1, 3);
  expect_moments(numbers, 1, 16 / 12.0);
  EXPECT_GE(numbers.min().item<float>(), -1);
  EXPECT_LT(numbers.max().item<float>(), 3);
}

TEST(Draws, OfNormalNumbersHaveTheirMoments) {
  const InPlugin plugin;
  expect_moments(draw(RETORT_DRAW_NORMAL, "n", {100, 1000}, 2, 0.5), 2, 0.25);
}

TEST(Draws, OfNormalNumbersDoNotFollowTheirNeighbours) {
  const InPlugin plugin;
  const at::Tensor numbers = draw(RETORT_DRAW_NORMAL, "n", {50000, 2}, 0, 1).to(at::kDouble);
  // The product of two independent ones has mean 0 and variance 1.
  EXPECT_NEAR(numbers.prod(1).mean().item<double>(), 0, kStandardErrors / std::sqrt(50000.0));
}

TEST(Draws, OfIntegersReachBothEndsAndNoMore) {
  const InPlugin plugin;
  const at::Tensor numbers = draw(RETORT_DRAW_INTEGERS, "i", {100, 1000}, -2, 3);
  EXPECT_EQ(numbers.scalar_type(), at::kLong);
  expect_moments(numbers, 0, 2);
  EXPECT_EQ(numbers.min().item<int64_t>(), -2);
  EXPECT_EQ(numbers.max().item<int64_t>(), 2);
}

TEST(Draws, AreOfTheScopesFloatType) {
  InPlugin plugin(host::PluginFunction::Loss, at::kDouble);
  EXPECT_EQ(mask(plugin).scalar_type(), at::kDouble);
}

TEST(Draws, OfIntegersFromAnEmptyRangeAreRefused) {
  const InPlugin plugin;
  EXPECT_THAT(message_of<retort::Error>([] { draw(RETORT_DRAW_INTEGERS, "i", {2}, 3, 3); }),
              HasSubstr("draw \"i\": there is no integer in [3, 3)"));
}

/// What is said of a draw in a step of its own; "" where it is taken.
std::string refused_draw(retort_draw_kind kind, const char* name, std::vector<int64_t> sizes,
                         double a, double b) {
  const InPlugin plugin;
  return message_of<retort::Error>([&] { draw(kind, name, sizes, a, b); });
}

TEST(Draws, OfOneNameTwiceInAStepAreRefused) {
  InPlugin plugin;
  draw(RETORT_DRAW_UNIFORM, "mask", {2}, 0, 1);
  draw(RETORT_DRAW_UNIFORM, "noise", {2}, 0, 1);
  plugin.scope.function = host::PluginFunction::AfterBackward;
  EXPECT_THAT(
      message_of<retort::Error>([] { draw(RETORT_DRAW_NORMAL, "mask", {2}, 0, 1); }),
      HasSubstr(
          "draw \"mask\": it is drawn twice in one step, and both would be the same numbers"));
}

TEST(Draws, OfDistributionsThatDoNotExistAreRefused) {
  const double nan = std::nan(""), inf = HUGE_VAL;
  for (const retort_draw_kind kind :
       {RETORT_DRAW_UNIFORM, RETORT_DRAW_NORMAL, RETORT_DRAW_INTEGERS}) {
    for (const auto& [a, b] :
         {std::pair(nan, 1.0), {0.0, nan}, {0.0, inf}, {-inf, 0.0}, {0.0, 1e39}})
      EXPECT_THAT(refused_draw(kind, "d", {2}, a, b), HasSubstr("draw \"d\": ")) << a << " " << b;
  }
  EXPECT_THAT(refused_draw(RETORT_DRAW_UNIFORM, "d", {2}, 1, 0), HasSubstr("no number in [1, 0)"));
  EXPECT_EQ(refused_draw(RETORT_DRAW_UNIFORM, "d", {2}, 0, 0), "");
  EXPECT_THAT(refused_draw(RETORT_DRAW_NORMAL, "d", {2}, 0, -1), HasSubstr("deviation is -1"));
  EXPECT_THAT(refused_draw(RETORT_DRAW_INTEGERS, "d", {2}, 0, 0x1p60), HasSubstr("at most 2^53"));
  EXPECT_THAT(refused_draw(RETORT_DRAW_INTEGERS, "d", {2}, 0.5, 3), HasSubstr("no whole number"));
  EXPECT_THAT(refused_draw(static_cast<retort_draw_kind>(7), "d", {2}, 0, 1),
              HasSubstr("no kind of draw number 7"));
}

TEST(Draws, OfNamesAndSizesThatCannotBeAreRefused) {
  for (const char* name : {"", "a\nb", "\xff"})
    EXPECT_NE(refused_draw(RETORT_DRAW_UNIFORM, name, {2}, 0, 1), "") << name;
  EXPECT_THAT(refused_draw(RETORT_DRAW_UNIFORM, "d", {2, -1}, 0, 1), HasSubstr("shape [2, -1]"));
  EXPECT_THAT(refused_draw(RETORT_DRAW_UNIFORM, "d", {int64_t{1} << 62, 4}, 0, 1),
              HasSubstr("more elements than can be counted"));
  EXPECT_THAT(refused_draw(RETORT_DRAW_UNIFORM, "d", std::vector<int64_t>(9, 1), 0, 1),
              HasSubstr("9 dimensions; at most 8"));
}

TEST(Draws, AreMadeInLossAndAfterBackwardAlone) {
  using host::PluginFunction;
  for (const PluginFunction function :
       {PluginFunction::Create, PluginFunction::Build, PluginFunction::Forward,
        PluginFunction::Setup, PluginFunction::Data}) {
    const InPlugin plugin(function);
    EXPECT_THAT(message_of<retort::Error>([] { draw(RETORT_DRAW_UNIFORM, "d", {2}, 0, 1); }),
                HasSubstr("a strategy draws in loss() and after_backward()"));
  }
}

}  // namespace
}  // namespace retort::test
