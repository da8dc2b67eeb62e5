#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/models/model_rig.hpp"

namespace retort::test::resnet_test {
namespace {

using testing::HasSubstr;

constexpr host::InputShape kCifar100 = {3, 32, 32, 100};
constexpr host::InputShape kCifar10 = {3, 32, 32, 10};
constexpr int64_t kShortcutA = 0;

Options depth(int64_t layers) { return {{"depth", layers}}; }
Options wide(int64_t layers, double width) { return {{"depth", layers}, {"width", width}}; }
Options plain(int64_t layers) { return {{"depth", layers}, {"shortcut", kShortcutA}}; }

int64_t count(const Options& options, const host::InputShape& input = kCifar100) {
  return parameter_count("resnet", options, input);
}

// akamaster/pytorch_resnet_cifar10, whose weights are public.
TEST(ResNet, HasTheParameterCountsOfShortcutA) {
  EXPECT_EQ(count(plain(20), kCifar10), 269722);
  EXPECT_EQ(count(plain(56), kCifar10), 853018);
}

TEST(ResNet, TakesTheStemFromItsOption) {
  Options options = wide(8, 4);
  options["stem"] = int64_t{64};
  // 32 more stem channels, then no projection in the first stage.
  const int64_t stem = 32 * (3 * 9 + 2), conv = 32 * 64 * 9, projection = 32 * 64 + 2 * 64;
  EXPECT_EQ(count(options), 1233540 + stem + conv - projection);
}

TEST(ResNet, NamesItsParametersAsPyTorchDoes) {
  const auto network = build_model("resnet", depth(8), kCifar100);
  for (const char* name : {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight",
                           "layer3.0.bn2.bias", "layer2.0.downsample.0.weight",
                           "layer2.0.downsample.1.running_var", "fc.weight", "fc.bias"}) {
    EXPECT_NE(network->parameters().find(name), nullptr) << name;
  }
  EXPECT_EQ(network->parameters().find("layer1.0.downsample.0.weight"), nullptr);
  EXPECT_EQ(network->parameters().find("conv1.bias"), nullptr);
}

TEST(ResNet, PublishesItsTaps) {
  EXPECT_EQ(taps_text(*build_model("resnet", depth(14), kCifar100)),
            "stem [1, 16, 32, 32]\n"
            "layer1.preact [1, 16, 32, 32]\nlayer1 [1, 16, 32, 32]\n"
            "layer2.preact [1, 32, 16, 16]\nlayer2 [1, 32, 16, 16]\n"
            "layer3.preact [1, 64, 8, 8]\nlayer3 [1, 64, 8, 8]\n"
            "pooled [1, 64]\nlogits [1, 100]\n");
}

TEST(ResNet, WorksOnImagesOfAnySizeAndChannelCount) {
  for (const Options& options : {depth(8), plain(8)}) {
    EXPECT_THAT(taps_text(*build_model("resnet", options, {2, 7, 5, 3})),
                HasSubstr("layer3 [1, 64, 2, 2]\npooled [1, 64]\nlogits [1, 3]\n"));
    EXPECT_THAT(taps_text(*build_model("resnet", options, {1, 1, 1, 2})),
                HasSubstr("layer3 [1, 64, 1, 1]"));
  }
}

TEST(ResNet, TapsAreBeforeAndAfterTheLastRelu) {
  const auto network = build_model("resnet", depth(8), kCifar100);
  const auto taps = network
                        ->forward(images(2), {"layer2.preact", "layer2", "layer3", "pooled"},
                                  host::PassMode::Evaluate)
                        .features;
  EXPECT_LT(taps[0].min().item<float>(), 0);
  EXPECT_TRUE(at::equal(taps[0].relu(), taps[1]));
  EXPECT_TRUE(at::equal(taps[2].mean({2, 3}), taps[3]));
}

TEST(ResNet, ShortcutATakesEverySecondPixelAndPadsChannelsOnBothSides) {
  const auto network = build_model("resnet", plain(8), kCifar10);
  const at::Tensor& norm = network->parameters().find("layer2.0.bn2.weight")->master;
  norm.set_data(norm.detach() * 0);  // leaves the shortcut alone
  const auto taps =
      network->forward(images(2), {"layer1", "layer2.preact"}, host::PassMode::Evaluate).features;
  const at::Tensor wanted =
      at::constant_pad_nd(taps[0].slice(2, 0, 32, 2).slice(3, 0, 32, 2), {0, 0, 0, 0, 8, 8});
  EXPECT_TRUE(at::equal(taps[1], wanted));
}

TEST(ResNet, TrainsAllItsParameters) {
  expect_gradient_everywhere(*build_model("resnet", depth(8), {1, 9, 9, 4}));
  expect_gradient_everywhere(*build_model("resnet", plain(14), {3, 8, 8, 4}));
}

std::string refusal_of(const Options& options) {
  return message_of<host::ConfigError>([&] { build_model("resnet", options, kCifar100); });
}

TEST(ResNet, RefusesADepthThatIsNot6nPlus2) {
  EXPECT_THAT(refusal_of(depth(21)),
              HasSubstr("depth = 21; this network has 6n + 2 layers: use 20 or 26"));
  EXPECT_THAT(refusal_of(depth(25)), HasSubstr("use 20 or 26"));
  EXPECT_THAT(refusal_of(depth(9)), HasSubstr("use 8 or 14"));
}

TEST(ResNet, RefusesAStemThatShortcutACannotNarrow) {
  Options options = plain(8);
  options["stem"] = int64_t{20};
  EXPECT_THAT(refusal_of(options),
              HasSubstr("stem = 20 is wider than the first stage's 16 channels"));
}

}  // namespace
}  // namespace retort::test::resnet_test
