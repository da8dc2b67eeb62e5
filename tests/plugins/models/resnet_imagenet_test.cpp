#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include <map>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/models/model_rig.hpp"

namespace retort::test::resnet_imagenet_test {
namespace {

using testing::HasSubstr;

constexpr host::InputShape kImageNet = {3, 224, 224, 1000};

std::unique_ptr<host::Network> resnet(int64_t depth, const host::InputShape& input = kImageNet) {
  return build_model("resnet_imagenet", {{"depth", depth}}, input);
}

using Shapes = std::map<std::string, std::vector<int64_t>>;

void add_layer(Shapes& shapes, const std::string& conv, const std::string& norm, int64_t in,
               int64_t out, int64_t kernel) {
  shapes[conv + ".weight"] = {out, in, kernel, kernel};
  for (const char* name : {".weight", ".bias", ".running_mean", ".running_var"})
    shapes[norm + name] = {out};
}

/// The state_dict of torchvision's models/resnet.py, without num_batches_tracked.
Shapes torchvision_shapes(const std::vector<int64_t>& blocks, bool bottleneck) {
  Shapes shapes = {{"fc.weight", {1000, bottleneck ? 2048 : 512}}, {"fc.bias", {1000}}};
  add_layer(shapes, "conv1", "bn1", 3, 64, 7);
  int64_t in = 64;
  for (size_t stage = 0; stage < blocks.size(); ++stage) {
    const int64_t channels = 64 << stage, out = bottleneck ? 4 * channels : channels;
    for (int64_t i = 0; i < blocks[stage]; ++i, in = out) {
      const std::string block = "layer" + std::to_string(stage + 1) + "." + std::to_string(i) + ".";
      add_layer(shapes, block + "conv1", block + "bn1", in, channels, bottleneck ? 1 : 3);
      add_layer(shapes, block + "conv2", block + "bn2", channels, channels, 3);
      if (bottleneck) add_layer(shapes, block + "conv3", block + "bn3", channels, out, 1);
      if (in != out) add_layer(shapes, block + "downsample.0", block + "downsample.1", in, out, 1);
    }
  }
  return shapes;
}

Shapes shapes_of(const host::Network& network) {
  Shapes shapes;
  for (const host::Parameter& parameter : network.parameters().all())
    shapes[parameter.name] = parameter.master.sizes().vec();
  return shapes;
}

TEST(ResNetImageNet, HasTheNamesAndShapesOfTorchvision) {
  EXPECT_EQ(shapes_of(*resnet(18)), torchvision_shapes({2, 2, 2, 2}, false));
  EXPECT_EQ(shapes_of(*resnet(34)), torchvision_shapes({3, 4, 6, 3}, false));
  EXPECT_EQ(shapes_of(*resnet(50)), torchvision_shapes({3, 4, 6, 3}, true));
}

// As published with torchvision's weights: num_params, and GFLOPS with two decimals.
TEST(ResNetImageNet, HasTheCountsOfTorchvision) {
  struct Row {
    int64_t depth, parameters, tens_of_millions;
  };
  for (const Row& row : {Row{18, 11689512, 181},
                         {34, 21797672, 366},
                         {50, 25557032, 409},
                         {101, 44549160, 780},
                         {152, 60192808, 1151}}) {
    const auto network = resnet(row.depth);
    EXPECT_EQ(network->profile().parameters, row.parameters);
    EXPECT_EQ((network->profile().multiply_adds + 5000000) / 10000000, row.tens_of_millions)
        << row.depth;
  }
}

TEST(ResNetImageNet, PublishesItsTaps) {
  EXPECT_EQ(taps_text(*resnet(50)),
            "stem [1, 64, 56, 56]\n"
            "layer1.preact [1, 256, 56, 56]\nlayer1 [1, 256, 56, 56]\n"
            "layer2.preact [1, 512, 28, 28]\nlayer2 [1, 512, 28, 28]\n"
            "layer3.preact [1, 1024, 14, 14]\nlayer3 [1, 1024, 14, 14]\n"
            "layer4.preact [1, 2048, 7, 7]\nlayer4 [1, 2048, 7, 7]\n"
            "pooled [1, 2048]\nlogits [1, 1000]\n");
}

TEST(ResNetImageNet, KeepsTheSizeOfSmallImagesWithTheStemForCifar) {
  const auto network = build_model("resnet_imagenet", {{"stem", int64_t{1}}}, {3, 32, 32, 100});
  EXPECT_THAT(taps_text(*network), HasSubstr("stem [1, 64, 32, 32]\n"));
  EXPECT_THAT(taps_text(*network), HasSubstr("layer4 [1, 512, 4, 4]\n"));
}

TEST(ResNetImageNet, TapsAreBeforeAndAfterTheLastRelu) {
  for (const int64_t depth : {18, 50}) {
    const auto network = resnet(depth, {3, 32, 32, 10});
    const auto taps =
        network->forward(images(2), {"layer2.preact", "layer2"}, host::PassMode::Evaluate).features;
    EXPECT_LT(taps[0].min().item<float>(), 0);
    EXPECT_TRUE(at::equal(taps[0].relu(), taps[1]));
  }
}

TEST(ResNetImageNet, TrainsAllItsParameters) {
  for (const int64_t depth : {18, 50}) expect_gradient_everywhere(*resnet(depth, {1, 64, 70, 4}));
}

TEST(ResNetImageNet, RefusesADepthThatIsNotDefined) {
  EXPECT_THAT(message_of<host::ConfigError>([] { resnet(20); }),
              HasSubstr("depth = 20; this network is defined with 18, 34, 50, 101 or 152 layers"));
}

}  // namespace
}  // namespace retort::test::resnet_imagenet_test
