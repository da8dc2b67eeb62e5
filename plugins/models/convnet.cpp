#include <retort/model.hpp>

#include <algorithm>
#include <cmath>

using namespace retort;

namespace {

/// A small plain network: three 3x3 convolutions with batch norm and ReLU, of 16, 32 and 64
/// channels times `width`, with 2x2 max pooling between them, the mean over the pixels, a linear
/// layer. Its maps have the sizes of resnet's, so the two can be bound tap by tap.
/// Source:  ours.
/// Inputs:  x [N, channels, H, W], H and W >= 4.
/// Output:  [N, class_count].
/// Taps:    layer1, layer2, layer3, each after its ReLU, and layer1.preact ... before it;
///          pooled [N, C].
/// Params:  width  > 0, default 1.
/// Throws:  ConfigError for images below 4 x 4.
class ConvNet final : public Model {
 public:
  struct Options {
    double width = 1;
  } options;

  void build(const ModelBuild& build) override {
    if (std::min(build.height, build.width) < 4) {
      throw ConfigError("images of " + std::to_string(build.height) + " x " +
                        std::to_string(build.width) +
                        " pixels; convnet halves them twice and needs 4 x 4 or more: choose "
                        "model = \"resnet\" or larger images");
    }
    nn::ConvOptions same;
    same.padding = 1;
    same.bias = false;
    same.weight_init = init::kaiming_normal(0, Fan::Out);
    int64_t in = build.channels;
    int64_t out = std::max<int64_t>(1, std::llround(16 * options.width));
    for (size_t i = 0; i < kStages; ++i, in = out, out *= 2) {
      const std::string number = std::to_string(i + 1);
      convs_[i] = nn::Conv2d(build.in("conv" + number), in, out, 3, same);
      norms_[i] = nn::BatchNorm(build.in("bn" + number), out);
    }
    classifier_ = nn::Linear(build.in("fc"), in, build.class_count);
  }

  Tensor forward(const Tensor& images, const Taps& taps) override {
    Tensor x = images;
    for (size_t i = 0; i < kStages; ++i) {
      const std::string name = "layer" + std::to_string(i + 1);
      if (i > 0) x = max_pool2d(x, 2);
      const std::string before = name + ".preact";
      x = convs_[i](x);
      x = taps(name, taps.wants(before) ? relu(taps(before, norms_[i](x))) : norms_[i].relu(x));
    }
    return classifier_(taps("pooled", global_avg_pool2d(x)));
  }

 private:
  static constexpr size_t kStages = 3;

  nn::Conv2d convs_[kStages];
  nn::BatchNorm norms_[kStages];
  nn::Linear classifier_;
};

}  // namespace

RETORT_MODEL(ConvNet, "convnet", "1.0.0", "Three plain convolutions", licence("MIT"),
             option("width", &ConvNet::Options::width)
                 .above(0)
                 .at_most(64)
                 .help("multiplies the 16, 32, 64 channels"))
