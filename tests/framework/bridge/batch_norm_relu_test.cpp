// The host's own operator has the bits of the three that it stands for, in one pass or in three.
#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <limits>

#include "tests/framework/bridge/door_rig.hpp"

namespace retort::test {
namespace {

/// The tensors of one layer; 20 channels, so that a period of channels is no power of two.
struct Layer {
  explicit Layer(at::ScalarType type = at::kFloat, bool channels_last = true) {
    const auto format =
        channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
    input = at::randn({3, 20, 7, 5}).to(type).contiguous(format);
    other = at::randn({3, 20, 7, 5}).to(type).contiguous(format);
    weight = at::rand({20}).to(type) + 0.5;
    bias = at::randn({20}).to(type);
    mean = at::randn({20}).to(type);
    var = at::rand({20}).to(type) + 0.5;
  }
  at::Tensor plain(bool training, bool with_other) const {
    at::Tensor sum = at::batch_norm(input, weight, bias, mean, var, training, 0.1, 1e-5, true);
    if (with_other) sum = sum + other;
    return at::relu(sum);
  }
  at::Tensor ours(bool training, bool with_other) const {
    return to_host(batch_norm_relu(to_plugin(input), to_plugin(weight), to_plugin(bias),
                                   to_plugin(mean), to_plugin(var), training,
                                   with_other ? to_plugin(other) : Tensor()));
  }
  at::Tensor input, other, weight, bias, mean, var;
};

void expect_equal_in_evaluation(const Layer& layer) {
  const InPlugin plugin;
  const c10::NoGradGuard guard;
  for (const bool with_other : {false, true}) {
    const at::Tensor ours = layer.ours(false, with_other);
    EXPECT_TRUE(ours.equal(layer.plain(false, with_other)));
    EXPECT_EQ(ours.strides(), layer.input.strides());
  }
}

TEST(BatchNormRelu, HasTheSameBitsInOnePass) { expect_equal_in_evaluation(Layer()); }
TEST(BatchNormRelu, HasTheSameBitsInTheOtherMemoryFormat) {
  expect_equal_in_evaluation(Layer(at::kFloat, false));
}
TEST(BatchNormRelu, HasTheSameBitsInFloat64) { expect_equal_in_evaluation(Layer(at::kDouble)); }

TEST(BatchNormRelu, KeepsANaN) {
  const InPlugin plugin;
  const c10::NoGradGuard guard;
  Layer layer;
  layer.input[0][0][0][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(layer.ours(false, false)[0][0][0][0].isnan().item().toBool());
}

TEST(BatchNormRelu, RefusesOneValueAChannelInTraining) {
  const InPlugin plugin;
  Layer layer;
  layer.input = at::randn({1, 20, 1, 1});
  const auto wanted = testing::HasSubstr(
      "batch norm of [1, 20, 1, 1] in training; it needs more than 1 value per channel");
  EXPECT_THAT(message_of<Error>([&] { layer.ours(true, false); }), wanted);
  EXPECT_THAT(message_of<Error>([&] {
                batch_norm(to_plugin(layer.input), to_plugin(layer.weight), to_plugin(layer.bias),
                           to_plugin(layer.mean), to_plugin(layer.var), true);
              }),
              wanted);
  EXPECT_TRUE(layer.ours(false, false).isfinite().all().item<bool>());
}

TEST(BatchNormRelu, AddsWhatBroadcasts) {
  const InPlugin plugin;
  const c10::NoGradGuard guard;
  Layer layer;
  layer.other = at::randn({1, 20, 1, 1});
  EXPECT_TRUE(layer.ours(false, true).equal(layer.plain(false, true)));
}

TEST(BatchNormRelu, HasTheSameGradientsAndStatisticsInTraining) {
  const InPlugin plugin;
  Layer layer;
  std::vector<at::Tensor> results[2];
  const at::Tensor mean = layer.mean.clone(), var = layer.var.clone();
  for (const bool ours : {false, true}) {
    layer.mean = mean.clone();
    layer.var = var.clone();
    for (at::Tensor* leaf : {&layer.input, &layer.other, &layer.weight, &layer.bias}) {
      *leaf = leaf->detach();
      leaf->set_requires_grad(true);
    }
    const at::Tensor result = ours ? layer.ours(true, true) : layer.plain(true, true);
    (result * result).sum().backward();
    results[ours] = {
        result,     layer.input.grad(), layer.other.grad(), layer.weight.grad(), layer.bias.grad(),
        layer.mean, layer.var};
  }
  for (size_t i = 0; i < results[0].size(); ++i)
    EXPECT_TRUE(results[0][i].equal(results[1][i])) << i;
}

}  // namespace
}  // namespace retort::test
