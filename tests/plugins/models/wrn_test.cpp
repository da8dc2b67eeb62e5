#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/models/model_rig.hpp"

namespace retort::test::wrn_test {
namespace {

using testing::HasSubstr;

constexpr host::InputShape kCifar100 = {3, 32, 32, 100};

TEST(WideResNet, PublishesItsTaps) {
  EXPECT_EQ(taps_text(*build_model("wrn", {{"depth", int64_t{16}}}, kCifar100)),
            "stem [1, 16, 32, 32]\n"
            "layer1 [1, 32, 32, 32]\nlayer1.preact [1, 32, 32, 32]\n"
            "layer2 [1, 64, 16, 16]\nlayer2.preact [1, 64, 16, 16]\n"
            "layer3 [1, 128, 8, 8]\nlayer3.preact [1, 128, 8, 8]\n"
            "pooled [1, 128]\nlogits [1, 100]\n");
}

TEST(WideResNet, NamesItsParametersAsTheFieldDoes) {
  const auto network = build_model("wrn", {}, kCifar100);
  for (const char* name :
       {"conv1.weight", "block1.layer.0.bn1.weight", "block1.layer.0.convShortcut.weight",
        "block2.layer.1.conv2.weight", "block3.layer.1.bn2.running_var", "bn1.bias", "fc.weight"}) {
    EXPECT_NE(network->parameters().find(name), nullptr) << name;
  }
  EXPECT_EQ(network->parameters().find("block1.layer.1.convShortcut.weight"), nullptr);
}

TEST(WideResNet, TapsAreASumAndItsBatchNorm) {
  const auto network = build_model("wrn", {{"depth", int64_t{10}}}, kCifar100);
  const at::Tensor& scale = network->parameters().find("bn1.weight")->master;
  scale.set_data(scale.detach() * -2);  // the batch norm of layer3.preact, at its start elsewhere
  const auto taps = network
                        ->forward(images(2), {"layer2", "layer3", "layer3.preact", "pooled"},
                                  host::PassMode::Evaluate)
                        .features;
  EXPECT_LT(taps[0].min().item<float>(), 0);
  EXPECT_LT((taps[2] + taps[1] * 2).abs().max().item<float>(), 1e-3);
  EXPECT_TRUE(at::equal(taps[2].relu().mean({2, 3}), taps[3]));
}

// The CRD authors' code runs the batch norm once more for the tap.
TEST(WideResNet, LookingAtATapDoesNotMoveRunningStatistics) {
  const auto plain = build_model("wrn", {}, kCifar100), watched = build_model("wrn", {}, kCifar100);
  const at::Tensor x = images(4);
  const at::Tensor logits = plain->forward(x, {}, host::PassMode::Train).logits;
  const std::vector<std::string> taps = {"layer1.preact", "layer3.preact"};
  EXPECT_TRUE(at::equal(watched->forward(x, taps, host::PassMode::Train).logits, logits));
  for (const char* name : {"block2.layer.0.bn1.running_mean", "bn1.running_var"}) {
    EXPECT_TRUE(
        at::equal(plain->parameters().find(name)->master, watched->parameters().find(name)->master))
        << name;
  }
}

TEST(WideResNet, TrainsAllItsParameters) {
  expect_gradient_everywhere(*build_model("wrn", {{"width", 0.5}}, {1, 9, 7, 4}));
}

TEST(WideResNet, RefusesADepthThatIsNot6nPlus4) {
  const auto refusal = [](int64_t depth) {
    return message_of<host::ConfigError>([&] {
      build_model("wrn", {{"depth", depth}}, kCifar100);
    });
  };
  EXPECT_THAT(refusal(20), HasSubstr("depth = 20; this network has 6n + 4 layers: use 16 or 22"));
  EXPECT_THAT(refusal(11), HasSubstr("use 10 or 16"));
}

}  // namespace
}  // namespace retort::test::wrn_test
