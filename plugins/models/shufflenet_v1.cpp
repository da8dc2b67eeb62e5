#include <retort/model.hpp>

using namespace retort;

namespace {

nn::Conv2d conv(const Builder& builder, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                int64_t groups) {
  nn::ConvOptions options;
  options.stride = stride;
  options.padding = kernel / 2;
  options.groups = groups;
  options.bias = false;
  return nn::Conv2d(builder, in, out, kernel, options);
}

/// A grouped 1x1, a depthwise 3x3 and a grouped 1x1 convolution. With stride 1 the input is added;
/// with stride 2 it is halved by average pooling and put behind the new channels.
class Bottleneck {
 public:
  Bottleneck(const Builder& builder, int64_t in, int64_t out, bool halves, int64_t groups,
             bool first)
      : shuffled_groups_(first ? 1 : groups), halves_(halves) {
    const int64_t made = halves ? out - in : out, inside = made / 4;
    conv1_ = conv(builder.in("conv1"), in, inside, 1, 1, shuffled_groups_);
    norm1_ = nn::BatchNorm(builder.in("bn1"), inside);
    conv2_ = conv(builder.in("conv2"), inside, inside, 3, halves ? 2 : 1, inside);
    norm2_ = nn::BatchNorm(builder.in("bn2"), inside);
    conv3_ = conv(builder.in("conv3"), inside, made, 1, 1, groups);
    norm3_ = nn::BatchNorm(builder.in("bn3"), made);
  }

  /// Without the last ReLU.
  Tensor preactivation(const Tensor& x) const {
    Tensor y = norm3_(inner(x));
    return halves_ ? cat({y, avg_pool2d(x, 3, 2, 1)}, 1) : std::move(y) + x;
  }
  Tensor operator()(const Tensor& x) const {
    return halves_ ? relu(preactivation(x)) : norm3_.relu(inner(x), x);
  }

 private:
  Tensor inner(const Tensor& x) const {
    const Tensor y = channel_shuffle(norm1_.relu(conv1_(x)), shuffled_groups_);
    return conv3_(norm2_.relu(conv2_(y)));
  }

  nn::Conv2d conv1_;
  nn::BatchNorm norm1_;
  nn::Conv2d conv2_;
  nn::BatchNorm norm2_;
  nn::Conv2d conv3_;
  nn::BatchNorm norm3_;
  int64_t shuffled_groups_;
  bool halves_;
};

/// ShuffleNet as distillation compares it on CIFAR: a 1x1 stem of 24 channels, three stages of 4, 8
/// and 4 bottlenecks, each of which begins with stride 2, the mean over the pixels, a linear layer.
/// Source:  Zhang et al. 2018, arXiv:1707.01083, table 1; stem and names of the CRD authors'
///          ShuffleNetv1.
/// Inputs:  x [N, channels, H, W] of any size.
/// Output:  [N, class_count].
/// Taps:    stem; layer1, layer2, layer3, each after its last ReLU, and layer1.preact ... before
///          it; pooled [N, C].
/// Params:  groups  1, 2 or 3 of the 1x1 convolutions, default 3. The last stage has 576, 800 and
///                  960 channels.
/// Differs: a bottleneck of stride 2 has ReLU behind its depthwise convolution, and is a quarter as
///          wide inside as the channels it adds, as the authors of the comparison have it.
class ShuffleNetV1 final : public Model {
 public:
  struct Options {
    int64_t groups = 3;
  } options;

  void build(const ModelBuild& build) override {
    constexpr int64_t kFirstStage[] = {144, 200, 240};  // channels with 1, 2, 3 groups
    int64_t in = 24;
    stem_ = conv(build.in("conv1"), build.channels, in, 1, 1, 1);
    stem_norm_ = nn::BatchNorm(build.in("bn1"), in);
    for (size_t stage = 0; stage < kStages; ++stage) {
      const int64_t out = kFirstStage[options.groups - 1] << stage;
      for (int64_t i = 0; i < (stage == 1 ? 8 : 4); ++i) {
        stages_[stage].emplace_back(build.in(message("layer", stage + 1, ".", i)), in, out, i == 0,
                                    options.groups, stage == 0 && i == 0);
        in = out;
      }
    }
    classifier_ = nn::Linear(build.in("linear"), in, build.class_count);
  }

  Tensor forward(const Tensor& images, const Taps& taps) override {
    Tensor x = taps("stem", stem_norm_.relu(stem_(images)));
    for (size_t stage = 0; stage < kStages; ++stage) {
      const auto& blocks = stages_[stage];
      for (size_t i = 0; i + 1 < blocks.size(); ++i) x = blocks[i](x);
      const std::string name = message("layer", stage + 1), before = name + ".preact";
      x = taps(name, taps.wants(before) ? relu(taps(before, blocks.back().preactivation(x)))
                                        : blocks.back()(x));
    }
    return classifier_(taps("pooled", global_avg_pool2d(x)));
  }

 private:
  static constexpr size_t kStages = 3;

  nn::Conv2d stem_;
  nn::BatchNorm stem_norm_;
  std::vector<Bottleneck> stages_[kStages];
  nn::Linear classifier_;
};

}  // namespace

RETORT_MODEL(ShuffleNetV1, "shufflenet_v1", "1.0.0", "ShuffleNet for CIFAR (Zhang 2018)",
             paper("Zhang et al. 2018, arXiv:1707.01083"), verified("RepDistiller"), licence("MIT"),
             option("groups", &ShuffleNetV1::Options::groups)
                 .at_least(1)
                 .at_most(3)
                 .help("of the 1x1 convolutions"))
