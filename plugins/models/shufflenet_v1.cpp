#include <retort/model.hpp>

using namespace retort;

namespace {

/// The convolution and batch norm of a number: conv2 and bn2, say.
nn::ConvNorm conv_norm(const Builder& builder, int64_t number, int64_t in, int64_t out,
                       int64_t kernel, int64_t stride, int64_t groups) {
  return nn::ConvNorm(builder.in(message("conv", number)), builder.in(message("bn", number)), in,
                      out, kernel, stride, groups, nn::ConvOptions{}.weight_init);
}

/// A grouped 1x1, a depthwise 3x3 and a grouped 1x1 convolution. With stride 1 the input is added;
/// with stride 2 it is halved by average pooling and put behind the new channels.
class Bottleneck {
 public:
  Bottleneck(const Builder& builder, int64_t in, int64_t out, bool halves, int64_t groups,
             bool first)
      : shuffled_groups_(first ? 1 : groups), halves_(halves) {
    const int64_t made = halves ? out - in : out, inside = made / 4;
    conv1_ = conv_norm(builder, 1, in, inside, 1, 1, shuffled_groups_);
    conv2_ = conv_norm(builder, 2, inside, inside, 3, halves ? 2 : 1, inside);
    conv3_ = conv_norm(builder, 3, inside, made, 1, 1, groups);
  }

  /// Without the last ReLU.
  Tensor preactivation(const Tensor& x) const {
    Tensor y = conv3_(inner(x));
    return halves_ ? cat({y, avg_pool2d(x, 3, 2, 1)}, 1) : std::move(y) + x;
  }
  Tensor operator()(const Tensor& x) const {
    return halves_ ? relu(preactivation(x)) : conv3_.relu(inner(x), x);
  }

 private:
  Tensor inner(const Tensor& x) const {
    const Tensor y = channel_shuffle(conv1_.relu(x), shuffled_groups_);
    return conv2_.relu(y);
  }

  nn::ConvNorm conv1_, conv2_, conv3_;
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
    stem_ = conv_norm(build, 1, build.channels, in, 1, 1, 1);
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
    Tensor x = taps("stem", stem_.relu(images));
    for (size_t stage = 0; stage < kStages; ++stage) {
      const auto& blocks = stages_[stage];
      for (size_t i = 0; i + 1 < blocks.size(); ++i) x = blocks[i](x);
      x = taps.last_block(message("layer", stage + 1), blocks.back(), x);
    }
    return classifier_(taps("pooled", global_avg_pool2d(x)));
  }

 private:
  static constexpr size_t kStages = 3;

  nn::ConvNorm stem_;
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
