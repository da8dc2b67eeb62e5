#include <retort/model.hpp>

#include <algorithm>

using namespace retort;

namespace {

/// A convolution and its batch norm, named as two neighbours of a sequence.
nn::ConvNorm conv_norm(const Builder& builder, int64_t first_name, int64_t in, int64_t out,
                       int64_t kernel, int64_t stride = 1, int64_t groups = 1) {
  return nn::ConvNorm(builder.in(message(first_name)), builder.in(message(first_name + 1)), in, out,
                      kernel, stride, groups);
}

/// A wider 1x1, a depthwise 3x3 and a narrow 1x1 convolution without ReLU behind it; the input is
/// added where it has the same shape.
class InvertedResidual {
 public:
  InvertedResidual(const Builder& builder, int64_t in, int64_t out, int64_t stride,
                   int64_t expansion)
      : expand_(conv_norm(builder, 0, in, in * expansion, 1)),
        depthwise_(
            conv_norm(builder, 3, in * expansion, in * expansion, 3, stride, in * expansion)),
        project_(conv_norm(builder, 6, in * expansion, out, 1)),
        adds_input_(stride == 1 && in == out) {}

  Tensor operator()(const Tensor& x) const {
    Tensor y = project_(depthwise_.relu(expand_.relu(x)));
    return adds_input_ ? std::move(y) + x : y;
  }

 private:
  nn::ConvNorm expand_;
  nn::ConvNorm depthwise_;
  nn::ConvNorm project_;
  bool adds_input_;
};

/// MobileNetV2 as distillation compares it on CIFAR: a 3x3 stem of stride 2, seven groups of
/// inverted residuals with 16, 24, 32, 64, 96, 160 and 320 channels times `width`, a 1x1
/// convolution to 1280, the mean over the pixels, a linear layer. The defaults give mobile_half.
/// Source:  Sandler et al. 2018, arXiv:1801.04381, table 2; strides and names of the CRD authors'
///          mobilenetv2.
/// Inputs:  x [N, channels, H, W] of any size.
/// Output:  [N, class_count].
/// Taps:    stem; layer1 .. layer4: the groups of 24, 32, 96 and 320 channels; layer1.preact ...:
///          the same tensors, for these groups end without a ReLU; pooled [N, 1280].
/// Params:  width      > 0, default 0.5: multiplies all channels, rounded down; the last 1280 only
///                     where it is above 1.
///          expansion  >= 1, default 6: how much wider a block is inside; 1 in the first group.
/// Differs: ReLU where the paper has ReLU6, and stride 1 in the second group, as the authors of the
///          comparison have it.
class MobileNetV2 final : public Model {
 public:
  struct Options {
    double width = 0.5;
    int64_t expansion = 6;
  } options;

  void build(const ModelBuild& build) override {
    int64_t in = scaled(32);
    stem_ = conv_norm(build.in("conv1"), 0, build.channels, in, 3, 2);
    for (size_t group = 0; group < kGroups; ++group) {
      const Group& shape = kShapes[group];
      for (int64_t i = 0; i < shape.blocks; ++i) {
        groups_[group].emplace_back(build.in(message("blocks.", group, ".", i, ".conv")), in,
                                    scaled(shape.channels), i == 0 ? shape.stride : 1,
                                    group == 0 ? 1 : options.expansion);
        in = scaled(shape.channels);
      }
    }
    const int64_t last = options.width > 1 ? scaled(1280) : 1280;
    last_ = conv_norm(build.in("conv2"), 0, in, last, 1);
    classifier_ = nn::Linear(build.in("classifier.0"), last, build.class_count, init::normal(0.01));
  }

  Tensor forward(const Tensor& images, const Taps& taps) override {
    Tensor x = taps("stem", stem_.relu(images));
    for (size_t group = 0; group < kGroups; ++group) {
      for (const InvertedResidual& block : groups_[group]) x = block(x);
      const int64_t layer = kShapes[group].layer;
      if (layer > 0) x = taps(message("layer", layer), taps(message("layer", layer, ".preact"), x));
    }
    return classifier_(taps("pooled", global_avg_pool2d(last_.relu(x))));
  }

 private:
  struct Group {
    int64_t channels;
    int64_t blocks;
    int64_t stride;
    int64_t layer;  // whose tap its output is; 0: none
  };
  static constexpr size_t kGroups = 7;
  static constexpr Group kShapes[kGroups] = {{16, 1, 1, 0}, {24, 2, 1, 1}, {32, 3, 2, 2},
                                             {64, 4, 2, 0}, {96, 3, 1, 3}, {160, 3, 2, 0},
                                             {320, 1, 1, 4}};

  int64_t scaled(int64_t channels) const {
    return std::max<int64_t>(1,
                             static_cast<int64_t>(static_cast<double>(channels) * options.width));
  }

  nn::ConvNorm stem_;
  std::vector<InvertedResidual> groups_[kGroups];
  nn::ConvNorm last_;
  nn::Linear classifier_;
};

}  // namespace

RETORT_MODEL(MobileNetV2, "mobilenet_v2", "1.0.0", "MobileNetV2 for CIFAR (Sandler 2018)",
             paper("Sandler et al. 2018, arXiv:1801.04381"), verified("RepDistiller"),
             licence("MIT"),
             option("width", &MobileNetV2::Options::width)
                 .above(0)
                 .at_most(16)
                 .help("multiplies the channels"),
             option("expansion", &MobileNetV2::Options::expansion)
                 .at_least(1)
                 .at_most(64)
                 .help("how much wider a block is inside"))
