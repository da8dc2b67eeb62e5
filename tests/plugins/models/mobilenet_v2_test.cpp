#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "tests/plugins/models/model_rig.hpp"

namespace retort::test::mobilenet_v2_test {
namespace {

using testing::HasSubstr;

constexpr host::InputShape kCifar100 = {3, 32, 32, 100};

TEST(MobileNetV2, PublishesItsTaps) {
  EXPECT_EQ(taps_text(*build_model("mobilenet_v2", {}, kCifar100)),
            "stem [1, 16, 16, 16]\n"
            "layer1.preact [1, 12, 16, 16]\nlayer1 [1, 12, 16, 16]\n"
            "layer2.preact [1, 16, 8, 8]\nlayer2 [1, 16, 8, 8]\n"
            "layer3.preact [1, 48, 4, 4]\nlayer3 [1, 48, 4, 4]\n"
            "layer4.preact [1, 160, 2, 2]\nlayer4 [1, 160, 2, 2]\n"
            "pooled [1, 1280]\nlogits [1, 100]\n");
}

TEST(MobileNetV2, MultipliesTheLastChannelsOnlyAboveWidthOne) {
  const auto taps = [](double width) {
    return taps_text(*build_model("mobilenet_v2", {{"width", width}}, kCifar100));
  };
  EXPECT_THAT(taps(0.35), HasSubstr("layer1 [1, 8, 16, 16]\n"));  // 8.4, rounded down
  EXPECT_THAT(taps(0.35), HasSubstr("pooled [1, 1280]\n"));
  EXPECT_THAT(taps(1.5), HasSubstr("pooled [1, 1920]\n"));
}

TEST(MobileNetV2, WidensItsBlocksByTheExpansion) {
  const auto network = build_model("mobilenet_v2", {{"expansion", int64_t{3}}}, kCifar100);
  const auto sizes = [&](const char* name) {
    return network->parameters().find(name)->master.sizes();
  };
  EXPECT_EQ(sizes("blocks.0.0.conv.0.weight"), at::IntArrayRef({16, 16, 1, 1}));
  EXPECT_EQ(sizes("blocks.1.0.conv.3.weight"), at::IntArrayRef({24, 1, 3, 3}));
  EXPECT_EQ(sizes("blocks.6.0.conv.7.running_var"), at::IntArrayRef({160}));
  EXPECT_EQ(sizes("conv2.0.weight"), at::IntArrayRef({1280, 160, 1, 1}));
  EXPECT_EQ(sizes("classifier.0.bias"), at::IntArrayRef({100}));
}

TEST(MobileNetV2, EndsItsStagesWithoutRelu) {
  const auto network = build_model("mobilenet_v2", {}, kCifar100);
  const auto taps =
      network->forward(images(2), {"layer4", "layer4.preact"}, host::PassMode::Evaluate).features;
  EXPECT_LT(taps[0].min().item<float>(), 0);
  EXPECT_TRUE(at::equal(taps[0], taps[1]));
}

TEST(MobileNetV2, TrainsAllItsParameters) {
  expect_gradient_everywhere(*build_model("mobilenet_v2", {}, {1, 33, 40, 4}));
}

}  // namespace
}  // namespace retort::test::mobilenet_v2_test
