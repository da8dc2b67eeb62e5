#include <retort/model.hpp>

using namespace retort;

namespace {

/// The convolution and batch norm of a number: conv2 and bn2, say.
nn::ConvNorm conv_norm(const Builder& builder, int64_t number, int64_t in, int64_t out,
                       int64_t kernel, int64_t stride = 1, int64_t groups = 1) {
  return nn::ConvNorm(builder.in(message("conv", number)), builder.in(message("bn", number)), in,
                      out, kernel, stride, groups, nn::ConvOptions{}.weight_init);
}

/// Puts two halves of the channels together so that the next block splits them anew.
Tensor shuffled(const Tensor& left, const Tensor& right) {
  return channel_shuffle(cat({left, right}, 1), 2);
}

/// Halves the image: both branches take the whole input.
class DownBlock {
 public:
  DownBlock() = default;
  DownBlock(const Builder& builder, int64_t in, int64_t out)
      : left_depthwise_(conv_norm(builder, 1, in, in, 3, 2, in)),
        left_(conv_norm(builder, 2, in, out / 2, 1)),
        right_in_(conv_norm(builder, 3, in, out / 2, 1)),
        right_depthwise_(conv_norm(builder, 4, out / 2, out / 2, 3, 2, out / 2)),
        right_(conv_norm(builder, 5, out / 2, out / 2, 1)) {}

  Tensor operator()(const Tensor& x) const {
    return shuffled(left_.relu(left_depthwise_(x)),
                    right_.relu(right_depthwise_(right_in_.relu(x))));
  }

 private:
  nn::ConvNorm left_depthwise_;
  nn::ConvNorm left_;
  nn::ConvNorm right_in_;
  nn::ConvNorm right_depthwise_;
  nn::ConvNorm right_;
};

/// Leaves half of the channels alone.
class BasicBlock {
 public:
  BasicBlock(const Builder& builder, int64_t channels)
      : half_(channels / 2),
        in_(conv_norm(builder, 1, half_, half_, 1)),
        depthwise_(conv_norm(builder, 2, half_, half_, 3, 1, half_)),
        out_(conv_norm(builder, 3, half_, half_, 1)) {}

  /// Without the last ReLU.
  Tensor preactivation(const Tensor& x) const { return shuffled(kept(x), out_(inner(x))); }
  Tensor operator()(const Tensor& x) const { return shuffled(kept(x), out_.relu(inner(x))); }

 private:
  Tensor kept(const Tensor& x) const { return slice(x, 1, 0, half_); }
  Tensor inner(const Tensor& x) const { return depthwise_(in_.relu(slice(x, 1, half_))); }

  int64_t half_;
  nn::ConvNorm in_;
  nn::ConvNorm depthwise_;
  nn::ConvNorm out_;
};

/// ShuffleNetV2 as distillation compares it on CIFAR: a 1x1 stem of 24 channels, three stages that
/// begin with stride 2 and have 3, 7 and 3 blocks more, a 1x1 convolution, the mean over the
/// pixels, a linear layer.
/// Source:  Ma et al. 2018, arXiv:1807.11164, table 5; stem and names of the CRD authors'
///          ShuffleNetv2.
/// Inputs:  x [N, channels, H, W] of any size.
/// Output:  [N, class_count].
/// Taps:    stem; layer1, layer2, layer3, each after its last ReLU, and layer1.preact ... before
///          it; pooled [N, C].
/// Params:  width  0.5, 1 (the default), 1.5 or 2: which of the paper's four rows of channels.
/// Throws:  ConfigError for another width.
/// Differs: the authors' layer1.preact ... are not shuffled, so that their channels come in another
///          order than those of layer1. Width 2 begins with the paper's 244 channels, theirs with
///          224.
class ShuffleNetV2 final : public Model {
 public:
  struct Options {
    double width = 1;
  } options;

  void build(const ModelBuild& build) override {
    const int64_t* channels = channels_of(options.width);
    int64_t in = 24;
    stem_ = conv_norm(build, 1, build.channels, in, 1);
    for (size_t stage = 0; stage < kStages; ++stage) {
      const Builder layer = build.in(message("layer", stage + 1));
      downs_[stage] = DownBlock(layer.in("0"), in, channels[stage]);
      in = channels[stage];
      for (int64_t i = 1; i <= (stage == 1 ? 7 : 3); ++i)
        stages_[stage].emplace_back(layer.in(message(i)), in);
    }
    last_ = conv_norm(build, 2, in, channels[kStages], 1);
    classifier_ = nn::Linear(build.in("linear"), channels[kStages], build.class_count);
  }

  Tensor forward(const Tensor& images, const Taps& taps) override {
    Tensor x = taps("stem", stem_.relu(images));
    for (size_t stage = 0; stage < kStages; ++stage) {
      const auto& blocks = stages_[stage];
      x = downs_[stage](x);
      for (size_t i = 0; i + 1 < blocks.size(); ++i) x = blocks[i](x);
      x = taps.last_block(message("layer", stage + 1), blocks.back(), x);
    }
    return classifier_(taps("pooled", global_avg_pool2d(last_.relu(x))));
  }

 private:
  static constexpr size_t kStages = 3;

  /// Those of the stages and of the last convolution.
  static const int64_t* channels_of(double width) {
    struct Row {
      double width;
      int64_t channels[kStages + 1];
    };
    static constexpr Row rows[] = {{0.5, {48, 96, 192, 1024}},
                                   {1, {116, 232, 464, 1024}},
                                   {1.5, {176, 352, 704, 1024}},
                                   {2, {244, 488, 976, 2048}}};
    for (const Row& row : rows) {
      if (row.width == width) return row.channels;
    }
    std::string text = std::to_string(width);
    text.erase(text.find_last_not_of("0.") + 1);
    throw ConfigError(message("width = ", text, "; this network is defined with 0.5, 1, 1.5 or 2"));
  }

  nn::ConvNorm stem_;
  DownBlock downs_[kStages];
  std::vector<BasicBlock> stages_[kStages];
  nn::ConvNorm last_;
  nn::Linear classifier_;
};

}  // namespace

RETORT_MODEL(ShuffleNetV2, "shufflenet_v2", "1.0.0", "ShuffleNetV2 for CIFAR (Ma 2018)",
             paper("Ma et al. 2018, arXiv:1807.11164"), verified("RepDistiller"), licence("MIT"),
             option("width", &ShuffleNetV2::Options::width)
                 .at_least(0.5)
                 .at_most(2)
                 .help("0.5, 1, 1.5 or 2: the paper's rows of channels"))
