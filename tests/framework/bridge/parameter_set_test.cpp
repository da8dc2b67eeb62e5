#include "framework/bridge/parameter_set.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <gmock/gmock.h>

#include <cmath>
#include <vector>

#include "framework/base/error.hpp"
#include "tests/framework/bridge/door_rig.hpp"
#include "tests/framework/bridge/parameter_spec.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using host::ParameterSet;
using testing::HasSubstr;

ParameterSet empty_set(uint64_t seed = 1, const std::string& owner = "student") {
  return ParameterSet(seed, owner, at::kCPU);
}

at::Tensor start_of(const Spec& spec) {
  ParameterSet set = empty_set();
  set.declare(spec, true);
  return set.all()[0].master.detach();
}

// A probe in float64: given numbers are exact, drawn ones those of float32.
TEST(ParameterStart, IsExactInFloat64WhereItIsGiven) {
  ParameterSet set(1, "student", at::kCPU, at::kDouble);
  set.declare(Spec("constant", {2}, RETORT_INIT_CONSTANT, 0.1), true);
  set.declare(Spec("drawn", {2}, RETORT_INIT_UNIFORM, 0, 1), true);
  const double values[] = {0.3, 0.7};
  Spec given("given", {2}, RETORT_INIT_VALUES);
  given.values = values;
  set.declare(given, true);
  EXPECT_EQ(set.all()[0].master[0].item<double>(), 0.1);
  EXPECT_TRUE(set.all()[1].master.equal(
      start_of(Spec("drawn", {2}, RETORT_INIT_UNIFORM, 0, 1)).to(at::kDouble)));
  EXPECT_EQ(set.all()[2].master[1].item<double>(), 0.7);
}

/// Bound of a uniform start, and its standard deviation: bound / sqrt(3).
void expect_uniform(const at::Tensor& weights, double bound) {
  const double n = static_cast<double>(weights.numel());
  EXPECT_LE(weights.abs().max().item<double>(), bound);
  EXPECT_GT(weights.abs().max().item<double>(), 0.99 * bound);
  EXPECT_NEAR(weights.mean().item<double>(), 0, kStandardErrors * bound / std::sqrt(3 * n));
}

void expect_normal(const at::Tensor& weights, double stddev) {
  const double n = static_cast<double>(weights.numel());
  EXPECT_NEAR(weights.mean().item<double>(), 0, kStandardErrors * stddev / std::sqrt(n));
  EXPECT_NEAR(weights.std().item<double>(), stddev, kStandardErrors * stddev / std::sqrt(2 * n));
}

const std::vector<int64_t> kConv = {64, 32, 3, 3};  // fan in 288, fan out 576

TEST(Initialisers, FillWithAConstant) {
  EXPECT_TRUE(start_of({"w", {3}, RETORT_INIT_CONSTANT, 0.5}).eq(0.5).all().item<bool>());
}
TEST(Initialisers, DrawUniformNumbers) {
  const at::Tensor weights = start_of({"w", {20000}, RETORT_INIT_UNIFORM, 2, 4});
  expect_uniform(weights - 3, 1);
}
TEST(Initialisers, DrawNormalNumbers) {
  expect_normal(start_of({"w", {20000}, RETORT_INIT_NORMAL, 5, 0.1}) - 5, 0.1);
}
TEST(Initialisers, DrawKaimingUniformForTheInputs) {
  const double slope = std::sqrt(5.0);  // PyTorch's start of a convolution
  expect_uniform(start_of({"w", kConv, RETORT_INIT_KAIMING_UNIFORM, slope, 0}),
                 1 / std::sqrt(288.0));
}
TEST(Initialisers, DrawKaimingNormalForTheOutputs) {
  expect_normal(start_of({"w", kConv, RETORT_INIT_KAIMING_NORMAL, 0, 1}), std::sqrt(2 / 576.0));
}
TEST(Initialisers, DrawXavierUniform) {
  expect_uniform(start_of({"w", kConv, RETORT_INIT_XAVIER_UNIFORM, 2}), 2 * std::sqrt(6 / 864.0));
}
TEST(Initialisers, DrawXavierNormal) {
  expect_normal(start_of({"w", kConv, RETORT_INIT_XAVIER_NORMAL, 1}), std::sqrt(2 / 864.0));
}
TEST(Initialisers, CopyValues) {
  const double values[] = {0, 1, 2, 3, 4, 5};
  Spec spec("w", {2, 3}, RETORT_INIT_VALUES);
  spec.values = values;
  EXPECT_TRUE(start_of(spec).equal(at::arange(6, at::kFloat).reshape({2, 3})));
}
TEST(Initialisers, OfAnUnknownKindAreRefused) {
  EXPECT_THAT(message_of<host::PluginError>([] {
                start_of({"w", {2}, static_cast<retort_init_kind>(42)});
              }),
              HasSubstr("parameter \"w\": there is no initialiser number 42"));
}
TEST(Initialisers, OfKaimingNeedTwoDimensions) {
  EXPECT_THAT(message_of<host::PluginError>([] {
                start_of({"w", {7}, RETORT_INIT_KAIMING_NORMAL});
              }),
              HasSubstr("parameter \"w\" [7]: a kaiming or xavier start needs at least 2"));
}

TEST(ParameterSet, StartsAlikeInWhateverOrderItIsDeclared) {
  const Spec first("a", {8}, RETORT_INIT_NORMAL, 0, 1), second("b", {8}, RETORT_INIT_NORMAL, 0, 1);
  ParameterSet forward = empty_set(), backward = empty_set();
  forward.declare(first, true);
  forward.declare(second, true);
  backward.declare(second, true);
  backward.declare(first, true);
  EXPECT_TRUE(forward.find("a")->master.equal(backward.find("a")->master));
  EXPECT_TRUE(forward.find("b")->master.equal(backward.find("b")->master));
  EXPECT_FALSE(forward.find("a")->master.equal(forward.find("b")->master));
}

TEST(ParameterSet, StartsDifferentlyForAnotherSeedOrOwner) {
  const Spec spec("a", {8}, RETORT_INIT_NORMAL, 0, 1);
  ParameterSet set = empty_set(), seeded = empty_set(2), owned = empty_set(1, "teacher");
  for (ParameterSet* each : {&set, &seeded, &owned}) each->declare(spec, true);
  EXPECT_FALSE(set.find("a")->master.equal(seeded.find("a")->master));
  EXPECT_FALSE(set.find("a")->master.equal(owned.find("a")->master));
}

TEST(ParameterSet, RefusesANameTwice) {
  ParameterSet set = empty_set();
  set.declare(Spec("w", {2}, RETORT_INIT_CONSTANT), true);
  EXPECT_THAT(message_of<host::PluginError>(
                  [&] { set.declare(Spec("w", {2}, RETORT_INIT_CONSTANT), true); }),
              HasSubstr("parameter \"w\" is declared twice"));
}

TEST(ParameterSet, RefusesAnEmptyShape) {
  ParameterSet set = empty_set();
  EXPECT_THAT(message_of<host::ShapeError>([&] {
                set.declare(Spec("w", {2, 0}, RETORT_INIT_CONSTANT), true);
              }),
              HasSubstr("parameter \"w\" is declared with shape [2, 0]"));
}

/// What is said of a declaration that is refused; "" where it is taken.
std::string refusal_of(const Spec& spec, bool trained = true) {
  ParameterSet set = empty_set();
  return message_of<host::Error>([&] { set.declare(spec, trained); });
}

TEST(ParameterSet, RefusesNamesThatFilesCannotHold) {
  for (const char* name : {"", "a/b", "a\nb", "a\x7f", "a\xff", "a\xe2\x80\xae", "__metadata__"}) {
    EXPECT_NE(refusal_of({name, {2}, RETORT_INIT_CONSTANT}), "") << name;
    EXPECT_NE(refusal_of({name, {2}, RETORT_INIT_CONSTANT}, false), "") << name;
  }
  EXPECT_NE(refusal_of({nullptr, {2}, RETORT_INIT_CONSTANT}), "");
  EXPECT_THAT(refusal_of({"a\nb", {2}, RETORT_INIT_CONSTANT}),
              HasSubstr("parameter \"a\uFFFDb\" has a name with control characters"));
  EXPECT_EQ(refusal_of({"blöcke.0.weight", {2}, RETORT_INIT_CONSTANT}), "");
}

TEST(ParameterSet, RefusesSizesThatCannotBe) {
  EXPECT_THAT(refusal_of({"w", {2, -3}, RETORT_INIT_CONSTANT}), HasSubstr("shape [2, -3]"));
  EXPECT_THAT(refusal_of({"w", {int64_t{1} << 40, int64_t{1} << 40}, RETORT_INIT_CONSTANT}),
              HasSubstr("more elements than can be counted"));
  EXPECT_THAT(refusal_of({"w", std::vector<int64_t>(9, 1), RETORT_INIT_CONSTANT}),
              HasSubstr("9 dimensions; at most 8"));
}

TEST(ParameterSet, RefusesRatesAndRolesThatCannotBe) {
  for (const double scale : {-1.0, std::nan(""), HUGE_VAL}) {
    Spec spec("w", {2}, RETORT_INIT_CONSTANT);
    spec.lr_scale = scale;
    EXPECT_THAT(refusal_of(spec), HasSubstr("parameter \"w\": its lr_scale is"));
    EXPECT_EQ(refusal_of(spec, false), "");
  }
  Spec frozen("w", {2}, RETORT_INIT_CONSTANT), role("w", {2}, RETORT_INIT_CONSTANT);
  frozen.lr_scale = 0;
  EXPECT_EQ(refusal_of(frozen), "");
  role.role = 7;
  EXPECT_THAT(refusal_of(role), HasSubstr("there is no role number 7"));
}

TEST(Initialisers, OfNumbersThatCannotBeAreRefused) {
  EXPECT_THAT(refusal_of({"w", {2}, RETORT_INIT_UNIFORM, 1, 0}), HasSubstr("no number in [1, 0)"));
  EXPECT_THAT(refusal_of({"w", {2}, RETORT_INIT_NORMAL, 0, -1}), HasSubstr("deviation is -1"));
  EXPECT_THAT(refusal_of({"w", {2}, RETORT_INIT_CONSTANT, std::nan("")}), HasSubstr("finite"));
  EXPECT_EQ(refusal_of({"least", {2}, RETORT_INIT_CONSTANT, HUGE_VAL}, false), "");
  EXPECT_THAT(refusal_of({"w", {2}, RETORT_INIT_VALUES}), HasSubstr("a null pointer"));
  const double values[] = {0, HUGE_VAL};
  Spec given("w", {2}, RETORT_INIT_VALUES);
  given.values = values;
  EXPECT_THAT(refusal_of(given), HasSubstr("its start value 1 is inf"));
}

TEST(ParameterSet, RefusesASlotThatDoesNotExist) {
  ParameterSet set = empty_set();
  EXPECT_THAT(message_of<host::PluginError>([&] { set.resolve(3); }),
              HasSubstr("parameter slot 3 does not exist; student has 0"));
}

TEST(ParameterSet, TrainsParametersAndNotBuffers) {
  ParameterSet set = empty_set();
  const Spec spec("w", {4}, RETORT_INIT_CONSTANT);
  EXPECT_TRUE(set.resolve(set.declare(spec, true)).requires_grad());
  EXPECT_FALSE(
      set.resolve(set.declare(Spec("b", {2}, RETORT_INIT_CONSTANT), false)).requires_grad());
  EXPECT_EQ(set.parameter_count(), 4);
}

/// A weight, a norm's scale and a buffer, in a bfloat16 pass.
ParameterSet bf16_set() {
  ParameterSet set = empty_set();
  set.declare(Spec("w", {2}, RETORT_INIT_CONSTANT, 0.1), true);
  Spec norm("bn", {2}, RETORT_INIT_CONSTANT, 0.1);
  norm.role = RETORT_ROLE_NORM;
  set.declare(norm, true);
  set.declare(Spec("mean", {2}, RETORT_INIT_CONSTANT, 0.1), false);
  set.begin_pass(true);
  return set;
}

TEST(Bf16Parameters, KeepNormsAndBuffersInFloat32) {
  ParameterSet set = bf16_set();
  EXPECT_EQ(set.resolve(0).scalar_type(), at::kBFloat16);
  EXPECT_EQ(set.resolve(1).scalar_type(), at::kFloat);
  EXPECT_EQ(set.resolve(2).scalar_type(), at::kFloat);
}

TEST(Bf16Parameters, GiveTheirGradientToTheFloat32Master) {
  ParameterSet set = bf16_set();
  set.resolve(0).to(at::kFloat).mul(3).sum().backward();
  const at::Tensor& gradient = set.all()[0].master.grad();
  EXPECT_EQ(gradient.scalar_type(), at::kFloat);
  EXPECT_TRUE(gradient.eq(3).all().item<bool>());
}

TEST(Bf16Parameters, GiveAGradientAlsoWhenFirstUsedWithoutOne) {
  ParameterSet set = bf16_set();
  {
    const InPlugin plugin;
    host::host_table().grad_mode(0);
    set.resolve(0);
  }
  set.resolve(0).to(at::kFloat).sum().backward();
  EXPECT_TRUE(set.all()[0].master.grad().defined());
}

TEST(Bf16Parameters, AreMadeAnewInEachPass) {
  ParameterSet set = bf16_set();
  set.resolve(0);
  set.find("w")->master.mutable_data_ptr<float>()[0] = 2;
  set.begin_pass(true);
  EXPECT_EQ(set.resolve(0)[0].item<float>(), 2);
}

TEST(FrozenParameters, NeedNoGradient) {
  ParameterSet set = bf16_set();
  set.freeze();
  EXPECT_FALSE(set.resolve(0).requires_grad());
  EXPECT_FALSE(set.resolve(1).requires_grad());
}

TEST(Parameters, AreDeclaredOnlyWhileAModelIsBuilt) {
  InPlugin plugin;
  ParameterSet set = empty_set();
  plugin.scope.parameters = &set;
  const Spec spec("w", {2}, RETORT_INIT_CONSTANT);
  int64_t slot = -1;
  EXPECT_EQ(host::host_table().declare_parameter(&spec, &slot, nullptr), RETORT_BAD_ARGUMENT);
  EXPECT_THAT(host::host_table().last_error(), HasSubstr("a parameter is declared in loss()"));
  plugin.scope.function = host::PluginFunction::Setup;
  EXPECT_EQ(host::host_table().declare_parameter(&spec, &slot, nullptr), RETORT_OK);
  EXPECT_EQ(slot, 0);
}

TEST(Parameters, CrossAsSlots) {
  InPlugin plugin;
  ParameterSet set = empty_set();
  set.declare(Spec("w", {2}, RETORT_INIT_CONSTANT, 3), true);
  plugin.scope.parameters = &set;
  EXPECT_TRUE(to_host(Tensor::parameter(0) * 2).eq(6).all().item<bool>());
}

}  // namespace
}  // namespace retort::test
