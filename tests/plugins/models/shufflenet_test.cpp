#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/models/model_rig.hpp"

namespace retort::test::shufflenet_test {
namespace {

using testing::HasSubstr;

constexpr host::InputShape kCifar100 = {3, 32, 32, 100};

TEST(ShuffleNetV1, PublishesItsTaps) {
  EXPECT_EQ(taps_text(*build_model("shufflenet_v1", {}, kCifar100)),
            "stem [1, 24, 32, 32]\n"
            "layer1.preact [1, 240, 16, 16]\nlayer1 [1, 240, 16, 16]\n"
            "layer2.preact [1, 480, 8, 8]\nlayer2 [1, 480, 8, 8]\n"
            "layer3.preact [1, 960, 4, 4]\nlayer3 [1, 960, 4, 4]\n"
            "pooled [1, 960]\nlogits [1, 100]\n");
}

TEST(ShuffleNetV1, HasFewerChannelsInFewerGroups) {
  for (const auto& [groups, last] : {std::pair(1, "[1, 576]"), std::pair(2, "[1, 800]")}) {
    const auto network =
        build_model("shufflenet_v1", {{"groups", int64_t{groups}}}, {1, 15, 21, 10});
    EXPECT_THAT(taps_text(*network), HasSubstr(std::string("pooled ") + last));
  }
}

TEST(ShuffleNetV2, PublishesItsTaps) {
  EXPECT_EQ(taps_text(*build_model("shufflenet_v2", {}, kCifar100)),
            "stem [1, 24, 32, 32]\n"
            "layer1.preact [1, 116, 16, 16]\nlayer1 [1, 116, 16, 16]\n"
            "layer2.preact [1, 232, 8, 8]\nlayer2 [1, 232, 8, 8]\n"
            "layer3.preact [1, 464, 4, 4]\nlayer3 [1, 464, 4, 4]\n"
            "pooled [1, 1024]\nlogits [1, 100]\n");
}

TEST(ShuffleNetV2, HasTheChannelsOfThePaper) {
  EXPECT_THAT(taps_text(*build_model("shufflenet_v2", {{"width", 0.5}}, kCifar100)),
              HasSubstr("layer1 [1, 48, 16, 16]\n"));
  EXPECT_THAT(taps_text(*build_model("shufflenet_v2", {{"width", 2.0}}, kCifar100)),
              HasSubstr("layer1 [1, 244, 16, 16]\n"));
}

TEST(ShuffleNetV2, RefusesAWidthThatThePaperLacks) {
  EXPECT_THAT(message_of<host::ConfigError>([] {
                build_model("shufflenet_v2", {{"width", 0.75}}, kCifar100);
              }),
              HasSubstr("width = 0.75; this network is defined with 0.5, 1, 1.5 or 2"));
}

class ShuffleNets : public testing::TestWithParam<const char*> {};

TEST_P(ShuffleNets, NameTheirParametersAsTheFieldDoes) {
  const auto network = build_model(GetParam(), {}, kCifar100);
  for (const char* name : {"conv1.weight", "bn1.bias", "layer1.0.conv3.weight",
                           "layer2.7.bn2.running_mean", "linear.weight"}) {
    EXPECT_NE(network->parameters().find(name), nullptr) << name;
  }
}

TEST_P(ShuffleNets, PublishTapsBeforeAndAfterTheLastRelu) {
  const auto network = build_model(GetParam(), {}, kCifar100);
  for (const std::string name : {"layer1", "layer3"}) {
    const auto taps =
        network->forward(images(2), {name + ".preact", name}, host::PassMode::Evaluate).features;
    EXPECT_LT(taps[0].min().item<float>(), 0);
    EXPECT_TRUE(at::equal(taps[0].relu(), taps[1])) << name;
  }
}

TEST_P(ShuffleNets, TrainAllTheirParameters) {
  expect_gradient_everywhere(*build_model(GetParam(), {}, {1, 17, 20, 4}));
}

INSTANTIATE_TEST_SUITE_P(Both, ShuffleNets, testing::Values("shufflenet_v1", "shufflenet_v2"),
                         [](const auto& model) { return model.param; });

}  // namespace
}  // namespace retort::test::shufflenet_test
