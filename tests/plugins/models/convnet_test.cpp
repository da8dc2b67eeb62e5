#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/models/model_rig.hpp"

namespace retort::test::convnet_test {
namespace {

using testing::HasSubstr;

TEST(ConvNet, HasTheTapsAndMapSizesOfResNet) {
  EXPECT_EQ(taps_text(*build_model("convnet", {}, {3, 32, 32, 10})),
            "layer1.preact [1, 16, 32, 32]\nlayer1 [1, 16, 32, 32]\n"
            "layer2.preact [1, 32, 16, 16]\nlayer2 [1, 32, 16, 16]\n"
            "layer3.preact [1, 64, 8, 8]\nlayer3 [1, 64, 8, 8]\n"
            "pooled [1, 64]\nlogits [1, 10]\n");
}

TEST(ConvNet, CountsItsParameters) {
  const int64_t convs = 9 * (3 * 16 + 16 * 32 + 32 * 64), norms = 2 * (16 + 32 + 64), fc = 650;
  EXPECT_EQ(parameter_count("convnet", {}, {3, 32, 32, 10}), convs + norms + fc);
}

TEST(ConvNet, MultipliesItsChannelsByTheWidth) {
  EXPECT_THAT(taps_text(*build_model("convnet", {{"width", 0.5}}, {1, 28, 28, 10})),
              HasSubstr("layer3 [1, 32, 7, 7]\npooled [1, 32]\n"));
}

TEST(ConvNet, TrainsAllItsParameters) {
  expect_gradient_everywhere(*build_model("convnet", {}, {1, 4, 9, 3}));
}

TEST(ConvNet, RefusesImagesThatAreTooSmall) {
  const std::string message = message_of<host::ConfigError>([] {
    build_model("convnet", {}, {1, 3, 8, 10});
  });
  EXPECT_THAT(message,
              HasSubstr("images of 3 x 8 pixels; convnet halves them twice and needs 4 x 4"));
}

}  // namespace
}  // namespace retort::test::convnet_test
