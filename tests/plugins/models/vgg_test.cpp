#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/models/model_rig.hpp"

namespace retort::test::vgg_test {
namespace {

using testing::HasSubstr;

std::unique_ptr<host::Network> vgg(int64_t depth, const host::InputShape& input) {
  return build_model("vgg", {{"depth", depth}}, input);
}

TEST(Vgg, PublishesItsTaps) {
  EXPECT_EQ(taps_text(*vgg(13, {3, 32, 32, 100})),
            "stem [1, 64, 32, 32]\n"
            "layer1.preact [1, 128, 16, 16]\nlayer1 [1, 128, 16, 16]\n"
            "layer2.preact [1, 256, 8, 8]\nlayer2 [1, 256, 8, 8]\n"
            "layer3.preact [1, 512, 4, 4]\nlayer3 [1, 512, 4, 4]\n"
            "layer4.preact [1, 512, 4, 4]\nlayer4 [1, 512, 4, 4]\n"
            "pooled [1, 512]\nlogits [1, 100]\n");
}

TEST(Vgg, PoolsAFourthTimeFrom64PixelsOn) {
  EXPECT_THAT(taps_text(*vgg(8, {3, 63, 63, 10})), HasSubstr("layer4 [1, 512, 7, 7]"));
  EXPECT_THAT(taps_text(*vgg(8, {3, 64, 64, 10})), HasSubstr("layer4 [1, 512, 4, 4]"));
}

TEST(Vgg, NamesItsParametersAsTheFieldDoes) {
  const auto network = vgg(11, {3, 32, 32, 100});
  for (const char* name : {"block0.0.weight", "block0.0.bias", "block0.1.running_mean",
                           "block2.3.weight", "block4.4.bias", "classifier.weight"}) {
    EXPECT_NE(network->parameters().find(name), nullptr) << name;
  }
  EXPECT_EQ(network->parameters().find("block1.3.weight"), nullptr);
}

TEST(Vgg, StartsItsClassifierNearZero) {
  const auto network = vgg(8, {3, 32, 32, 100});
  EXPECT_NEAR(network->parameters().find("classifier.weight")->master.std().item<float>(), 0.01,
              0.001);
  EXPECT_EQ(network->parameters().find("classifier.bias")->master.abs().max().item<float>(), 0);
}

TEST(Vgg, TapsAreBeforeAndAfterTheLastRelu) {
  const auto taps = vgg(11, {3, 32, 32, 100})
                        ->forward(images(2), {"layer2.preact", "layer2"}, host::PassMode::Evaluate)
                        .features;
  EXPECT_LT(taps[0].min().item<float>(), 0);
  EXPECT_TRUE(at::equal(taps[0].relu(), taps[1]));
}

std::string refusal(int64_t depth, const host::InputShape& input) {
  return message_of<host::ConfigError>([&] { vgg(depth, input); });
}

TEST(Vgg, RefusesADepthThatIsNotDefined) {
  EXPECT_THAT(refusal(12, {3, 32, 32, 10}),
              HasSubstr("depth = 12; vgg is defined with 8, 11, 13, 16 or 19 layers"));
}

TEST(Vgg, RefusesImagesThatAreTooSmall) {
  EXPECT_THAT(refusal(8, {1, 28, 7, 10}),
              HasSubstr("images of 28 x 7 pixels; vgg halves them three times and needs 8 x 8"));
}

}  // namespace
}  // namespace retort::test::vgg_test
