#include <retort/model.hpp>

using namespace retort;

namespace {

/// Two 3x3 convolutions, or, as a bottleneck, 1x1, 3x3 and a four times wider 1x1 one; and a
/// shortcut, which is a 1x1 convolution where the shape changes. The first 3x3 one has the stride.
class Block {
 public:
  Block(const Builder& builder, bool bottleneck, int64_t in, int64_t channels, int64_t stride) {
    const int64_t out = bottleneck ? 4 * channels : channels;
    if (bottleneck) add(builder, in, channels, 1, 1);
    add(builder, bottleneck ? channels : in, channels, 3, stride);
    add(builder, channels, out, bottleneck ? 1 : 3, 1);
    projects_ = stride != 1 || in != out;
    if (projects_) {
      shortcut_ =
          nn::ConvNorm(builder.in("downsample.0"), builder.in("downsample.1"), in, out, 1, stride);
    }
  }

  /// Without the last ReLU.
  Tensor preactivation(const Tensor& x) const { return layers_.back()(inner(x)) + shortcut(x); }
  Tensor operator()(const Tensor& x) const { return layers_.back().relu(inner(x), shortcut(x)); }

 private:
  void add(const Builder& builder, int64_t in, int64_t out, int64_t kernel, int64_t stride) {
    const size_t number = layers_.size() + 1;
    layers_.emplace_back(builder.in(message("conv", number)), builder.in(message("bn", number)), in,
                         out, kernel, stride);
  }
  Tensor inner(Tensor x) const {
    for (size_t i = 0; i + 1 < layers_.size(); ++i) x = layers_[i].relu(x);
    return x;
  }
  Tensor shortcut(const Tensor& x) const { return projects_ ? shortcut_(x) : x; }

  std::vector<nn::ConvNorm> layers_;
  nn::ConvNorm shortcut_;
  bool projects_ = false;
};

enum class Stem { ImageNet, Cifar };

/// The residual networks made for ImageNet: a stem of 64 channels, four stages with 64, 128, 256
/// and 512 channels and strides 1, 2, 2, 2, the mean over the pixels, a linear layer. From depth 50
/// on the blocks are bottlenecks, whose outputs are four times as wide.
/// Source:  He et al. 2016, arXiv:1512.03385, table 1; names of torchvision, whose weights fit.
/// Inputs:  x [N, channels, H, W] of any size.
/// Output:  [N, class_count].
/// Taps:    stem: what the first stage takes; layer1 .. layer4, each after its last ReLU, and
///          layer1.preact ... before it; pooled [N, C].
/// Params:  depth  18, 34, 50, 101 or 152; default 18.
///          stem   "imagenet", the default: a 7x7 convolution of stride 2 and 3x3 max pooling of
///                 stride 2; "cifar": a 3x3 convolution of stride 1, for images of 32 pixels.
/// Throws:  ConfigError for another depth.
/// Differs: the 3x3 convolution of a bottleneck has the stride, not the first one, as torchvision
///          has it.
class ResNetImageNet final : public Model {
 public:
  struct Options {
    int64_t depth = 18;
    Stem stem = Stem::ImageNet;
  } options;

  void build(const ModelBuild& build) override {
    const int64_t* blocks = blocks_of(options.depth);
    const bool large = options.stem == Stem::ImageNet, bottleneck = options.depth >= 50;
    int64_t in = 64;
    stem_ = nn::ConvNorm(build.in("conv1"), build.in("bn1"), build.channels, in, large ? 7 : 3,
                         large ? 2 : 1);
    for (size_t stage = 0; stage < kStages; ++stage) {
      const int64_t channels = int64_t{64} << stage;
      for (int64_t i = 0; i < blocks[stage]; ++i) {
        stages_[stage].emplace_back(build.in(message("layer", stage + 1, ".", i)), bottleneck, in,
                                    channels, i == 0 && stage > 0 ? 2 : 1);
        in = bottleneck ? 4 * channels : channels;
      }
    }
    classifier_ = nn::Linear(build.in("fc"), in, build.class_count);
  }

  Tensor forward(const Tensor& images, const Taps& taps) override {
    Tensor x = stem_.relu(images);
    if (options.stem == Stem::ImageNet) x = max_pool2d(x, 3, 2, 1);
    taps("stem", x);
    for (size_t stage = 0; stage < kStages; ++stage) {
      const auto& blocks = stages_[stage];
      for (size_t i = 0; i + 1 < blocks.size(); ++i) x = blocks[i](x);
      x = taps.last_block(message("layer", stage + 1), blocks.back(), x);
    }
    return classifier_(taps("pooled", global_avg_pool2d(x)));
  }

 private:
  static constexpr size_t kStages = 4;

  /// How many each stage has.
  static const int64_t* blocks_of(int64_t depth) {
    struct Row {
      int64_t depth;
      int64_t blocks[kStages];
    };
    static constexpr Row rows[] = {{18, {2, 2, 2, 2}},
                                   {34, {3, 4, 6, 3}},
                                   {50, {3, 4, 6, 3}},
                                   {101, {3, 4, 23, 3}},
                                   {152, {3, 8, 36, 3}}};
    for (const Row& row : rows) {
      if (row.depth == depth) return row.blocks;
    }
    throw ConfigError(message("depth = ", depth,
                              "; this network is defined with 18, 34, 50, 101 or 152 layers "
                              "(model = \"resnet\" has those for CIFAR)"));
  }

  nn::ConvNorm stem_;
  std::vector<Block> stages_[kStages];
  nn::Linear classifier_;
};

}  // namespace

RETORT_MODEL(ResNetImageNet, "resnet_imagenet", "1.0.0",
             "Residual network of the ImageNet family (He 2016)",
             paper("He et al. 2016, arXiv:1512.03385"), verified("torchvision"), licence("MIT"),
             option("depth", &ResNetImageNet::Options::depth)
                 .at_least(18)
                 .at_most(152)
                 .help("layers: 18, 34, 50, 101 or 152"),
             option("stem", &ResNetImageNet::Options::stem)
                 .one_of("imagenet", "cifar")
                 .help("imagenet: 7x7 of stride 2 and max pooling; cifar: 3x3 of stride 1"))
