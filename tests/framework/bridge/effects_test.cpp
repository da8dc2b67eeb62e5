// What an operator does beside making its result: what it writes to, draws, and waits for.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "tests/framework/bridge/door_rig.hpp"
#include "tests/framework/bridge/parameter_spec.hpp"

namespace retort::test {
namespace {

using host::PluginFunction;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A strategy that owns a parameter "w" (slot 0) and a buffer "bank" (slot 1), two ones each, and is
/// lent a tensor of two ones.
class Owner {
 public:
  explicit Owner(PluginFunction function) : plugin(function) {
    own.declare(Spec("w", {2}, RETORT_INIT_CONSTANT, 1), true);
    own.declare(Spec("bank", {2}, RETORT_INIT_CONSTANT, 1), false);
    plugin.scope.parameters = &own;
    plugin.scope.lent.add(lent);
  }
  const at::Tensor& bank() { return own.find("bank")->master; }
  Tensor bank_slot() const { return Tensor::parameter(1); }

  host::ParameterSet own{1, "logits.mine", at::kCPU};
  at::Tensor lent = at::ones({2});
  InPlugin plugin;
};

Tensor two() { return to_plugin(at::zeros({2})); }

TEST(AfterBackward, WritesToItsOwnBufferAndResults) {
  Owner strategy(PluginFunction::AfterBackward);
  Operator("aten::copy_")(strategy.bank_slot(), to_plugin(strategy.lent) * 3.0);
  EXPECT_TRUE(strategy.bank().eq(3).all().item<bool>());
  const Tensor own = clone(to_plugin(strategy.lent));
  Operator("aten::zero_")(own);
  EXPECT_EQ(to_host(own).sum().item<float>(), 0);
  EXPECT_EQ(strategy.lent.sum().item<float>(), 2);
}

TEST(AfterBackward, WritesToNothingThatTheHostLent) {
  Owner strategy(PluginFunction::AfterBackward);
  const Tensor lent = to_plugin(strategy.lent), view = reshape(lent, {2, 1});
  const auto refused = HasSubstr("is a tensor of the host, or a view of one");
  EXPECT_THAT(refusal("aten::copy_", "", {lent, two()}), refused);
  EXPECT_THAT(refusal("aten::zero_", "", {view}), refused);
  EXPECT_THAT(refusal("aten::zero_", "", {detach(lent)}), refused);
  EXPECT_THAT(refusal("aten::add", "out", {two(), two(), 1, lent}), refused);
  EXPECT_THAT(refusal("aten::resize_", "", {lent, Ints{0}}), refused);
  EXPECT_THAT(refusal("aten::_foreach_zero_", "", {std::vector<Tensor>{two(), lent}}), refused);
  EXPECT_THAT(refusal("aten::requires_grad_", "", {lent}), refused);
  EXPECT_TRUE(strategy.lent.equal(at::ones({2})));
}

TEST(AfterBackward, ChangesOfABufferItsNumbersAlone) {
  Owner strategy(PluginFunction::AfterBackward);
  const Tensor bank = strategy.bank_slot(), alias = contiguous(bank);
  EXPECT_THAT(refusal("aten::resize_", "", {bank, Ints{3}}),
              HasSubstr("is the buffer \"bank\", of which it would change more than numbers"));
  EXPECT_THAT(refusal("aten::unsqueeze_", "", {alias, 0}), HasSubstr("the buffer \"bank\""));
  EXPECT_THAT(refusal("aten::set_data", "", {bank, two()}), HasSubstr("the buffer \"bank\""));
  const Tensor three = to_plugin(at::zeros({3}));
  EXPECT_THAT(refusal("aten::add", "out", {three, three, 1, bank}),
              HasSubstr("changed \"bank\" from shape [2] to [3]"));
}

TEST(AfterBackward, LeavesNoGraphInABuffer) {
  Owner strategy(PluginFunction::AfterBackward);
  const at::Tensor x = at::ones({2}).set_requires_grad(true);
  Operator("aten::copy_")(strategy.bank_slot(), to_plugin(x) * 2.0);
  EXPECT_FALSE(strategy.bank().requires_grad());
}

TEST(RunningStatistics, OfABufferAreUpdated) {
  Owner strategy(PluginFunction::Loss);
  const Tensor x = to_plugin(at::arange(6, at::kFloat).reshape({3, 2})),
               bank = strategy.bank_slot();
  batch_norm(x, {}, {}, bank, bank, true);
  EXPECT_FALSE(strategy.bank().equal(at::ones({2})));
}

TEST(RunningStatistics, AreNeitherTensorsOfTheHostNorTrainedParameters) {
  Owner strategy(PluginFunction::Loss);
  const Tensor x = to_plugin(at::arange(6, at::kFloat).reshape({3, 2}));
  const Tensor lent = to_plugin(strategy.lent), weight = Tensor::parameter(0);
  const Tensor bank = strategy.bank_slot();
  EXPECT_THAT(message_of<retort::Error>([&] { batch_norm(x, {}, {}, lent, bank, true); }),
              HasSubstr("aten::batch_norm: argument \"running_mean\" is a tensor of the host"));
  EXPECT_THAT(message_of<retort::Error>([&] { batch_norm(x, {}, {}, bank, weight, true); }),
              HasSubstr("\"running_var\" is the parameter \"w\", which would be written to"));
  EXPECT_EQ(refusal("aten::batch_norm", "", {x, {}, {}, lent, lent, false, 0.1, 1e-5, false}), "");
  EXPECT_TRUE(strategy.lent.equal(at::ones({2})));
}

TEST(RunningStatistics, DoNotChangeWhileANetworkIsEvaluated) {
  Owner network(PluginFunction::Forward);
  const Tensor x = to_plugin(at::arange(6, at::kFloat).reshape({3, 2})), bank = network.bank_slot();
  EXPECT_THAT(message_of<retort::Error>([&] { batch_norm(x, {}, {}, bank, bank, true); }),
              HasSubstr("would change while the network is evaluated"));
  EXPECT_TRUE(network.bank().equal(at::ones({2})));
  network.plugin.scope.training = true;
  batch_norm(x, {}, {}, bank, bank, true);
  EXPECT_FALSE(network.bank().equal(at::ones({2})));
}

TEST(InPlaceOperators, AreRefusedInAModelWithoutNamingAfterBackward) {
  const InPlugin model(PluginFunction::Forward);
  EXPECT_THAT(
      refusal("aten::relu_", "", {two()}),
      AllOf(HasSubstr("aten::relu_ writes to its argument"), Not(HasSubstr("after_backward"))));
}

TEST(Operators, ThatReachTheTrainersGradientsAreNotOffered) {
  const InPlugin plugin;
  EXPECT_THAT(message_of<retort::Error>([] { Operator("aten::_backward"); }),
              HasSubstr("ask for a gradient of your own with grad()"));
}

TEST(Operators, OfOtherNamespacesAreNotOffered) {
  const InPlugin plugin;
  EXPECT_THAT(message_of<retort::Error>([] { Operator("inductor::resize_storage_bytes_"); }),
              HasSubstr("is none of LibTorch's namespace aten"));
}

TEST(Dropout, IsTakenWhereItDrawsNothing) {
  const InPlugin plugin;
  const Tensor x = to_plugin(at::ones({2, 3, 4}));
  for (const char* name :
       {"aten::dropout", "aten::alpha_dropout", "aten::feature_dropout", "aten::native_dropout"}) {
    EXPECT_EQ(refusal(name, "", {x, 0.0, true}), "") << name;
    EXPECT_EQ(refusal(name, "", {x, 0.5, false}), "") << name;
    EXPECT_THAT(refusal(name, "", {x, 0.5, true}), HasSubstr("set p to 0, or draw them")) << name;
  }
  EXPECT_EQ(refusal("aten::rrelu", "", {x, 0.1, 0.3, false}), "");
  EXPECT_THAT(refusal("aten::rrelu", "", {x, 0.1, 0.3, true}), HasSubstr("draws random numbers"));
  EXPECT_THAT(refusal("aten::bernoulli", "p", {x, 0.0}), HasSubstr("draws random numbers"));
}

TEST(Attention, IsTakenWithoutDropout) {
  const InPlugin model(PluginFunction::Forward);
  const Tensor x = to_plugin(at::ones({1, 2, 3, 4}));
  EXPECT_EQ(refusal("aten::scaled_dot_product_attention", "", {x, x, x}), "");
  EXPECT_EQ(refusal("aten::scaled_dot_product_attention", "", {x, x, x, {}, 0.0, true}), "");
  EXPECT_THAT(refusal("aten::scaled_dot_product_attention", "", {x, x, x, {}, 0.1}),
              AllOf(HasSubstr("set dropout_p to 0, or leave them out"), Not(HasSubstr("step."))));
}

/// In the loss of a strategy that does not say that it waits.
TEST(Waiting, DependsOnWhatIsGiven) {
  const host::ComponentInfo strategy;
  InPlugin plugin;
  plugin.scope.component = &strategy;
  const Tensor x = to_plugin(at::eye(3)), n = to_plugin(at::arange(3, at::kLong));
  EXPECT_EQ(refusal("aten::one_hot", "", {n, 3}), "");
  EXPECT_THAT(refusal("aten::one_hot", "", {n}), HasSubstr("syncs(), or give num_classes"));
  EXPECT_EQ(refusal("aten::index", "Tensor", {x, std::vector<Tensor>{n}}), "");
  EXPECT_THAT(refusal("aten::index", "Tensor", {x, std::vector<Tensor>{n > 0.0}}),
              HasSubstr("use where() or masked_fill()"));
  EXPECT_EQ(refusal("aten::repeat_interleave", "self_Tensor", {x, n, 0, 3}), "");
  EXPECT_THAT(refusal("aten::repeat_interleave", "self_Tensor", {x, n, 0}),
              HasSubstr("give output_size"));
  EXPECT_EQ(refusal("aten::nonzero_static", "", {x, 3}), "");
  EXPECT_EQ(refusal("aten::linalg_inv_ex", "", {x}), "");
  EXPECT_THAT(refusal("aten::linalg_inv_ex", "", {x, true}), HasSubstr("leave check_errors out"));
  EXPECT_THAT(refusal("aten::inverse", "", {x}), HasSubstr("waits for the device"));
  EXPECT_THAT(refusal("aten::where", "", {x}), HasSubstr("waits for the device"));
  EXPECT_EQ(refusal("aten::where", "self", {x > 0.0, x, x}), "");
}

}  // namespace
}  // namespace retort::test
