#include <retort/model.hpp>

#include <algorithm>
#include <cmath>

using namespace retort;

namespace {

enum class Shortcut { A, B };

/// What a block adds to its convolutions: its input, made to fit them.
class ShortcutPath {
 public:
  ShortcutPath() = default;
  ShortcutPath(const Builder& builder, Shortcut kind, int64_t in, int64_t out, int64_t stride)
      : stride_(stride), missing_(out - in), changes_(stride != 1 || out != in) {
    projects_ = changes_ && kind == Shortcut::B;
    if (projects_) projection_ = nn::ConvNorm(builder.in("0"), builder.in("1"), in, out, 1, stride);
  }

  Tensor operator()(const Tensor& x) const {
    if (!changes_) return x;
    if (projects_) return projection_(x);
    const Tensor pixels = slice(slice(x, 2, 0, {}, stride_), 3, 0, {}, stride_);
    const int64_t before = missing_ / 2;
    return missing_ == 0 ? pixels : pad(pixels, {0, 0, 0, 0, before, missing_ - before});
  }

 private:
  nn::ConvNorm projection_;
  int64_t stride_ = 1;
  int64_t missing_ = 0;  // channels
  bool changes_ = false;
  bool projects_ = false;
};

/// Two 3x3 convolutions and a shortcut.
class BasicBlock {
 public:
  BasicBlock(const Builder& builder, Shortcut kind, int64_t in, int64_t out, int64_t stride)
      : first_(builder.in("conv1"), builder.in("bn1"), in, out, 3, stride),
        second_(builder.in("conv2"), builder.in("bn2"), out, out, 3),
        shortcut_(builder.in("downsample"), kind, in, out, stride) {}

  /// Without the last ReLU.
  Tensor preactivation(const Tensor& x) const { return second_(first_.relu(x)) + shortcut_(x); }
  Tensor operator()(const Tensor& x) const { return second_.relu(first_.relu(x), shortcut_(x)); }

 private:
  nn::ConvNorm first_, second_;
  ShortcutPath shortcut_;
};

/// The residual networks made for CIFAR: a 3x3 stem, three stages of (depth - 2) / 6 basic blocks
/// with 16, 32 and 64 channels times `width` and strides 1, 2, 2, the mean over the pixels, a
/// linear layer. Depth 8 and width 4 give resnet8x4.
/// Source:  He et al. 2016, arXiv:1512.03385, section 4.2.
/// Inputs:  x [N, channels, H, W] of any size.
/// Output:  [N, class_count].
/// Taps:    stem; layer1, layer2, layer3, each after its last ReLU, and layer1.preact ... before
///          it; pooled [N, C].
/// Params:  depth     6n + 2, default 20.
///          width     > 0, default 1: multiplies the stages' channels.
///          stem      channels of the stem. Default 0: half of the first stage's, but 16 where that
///                    is less, and never more than the first stage's.
///          shortcut  where a block changes the shape: "A" takes every second pixel and pads the
///                    channels with zeros on both sides; "B", the default, is a 1x1 convolution
///                    with batch norm.
/// Throws:  ConfigError for another depth, or a stem that shortcut A cannot narrow.
class ResNet final : public Model {
 public:
  struct Options {
    int64_t depth = 20;
    double width = 1;
    int64_t stem = 0;
    Shortcut shortcut = Shortcut::B;
  } options;

  void build(const ModelBuild& build) override {
    check_depth();
    const int64_t first = stage_channels(0);
    const int64_t stem =
        options.stem > 0 ? options.stem : std::min(first, std::max<int64_t>(16, first / 2));
    if (options.shortcut == Shortcut::A && stem > first) {
      throw ConfigError("stem = " + std::to_string(stem) + " is wider than the first stage's " +
                        std::to_string(first) +
                        " channels, and shortcut \"A\" can only add channels; lower stem or use "
                        "shortcut = \"B\"");
    }
    stem_ = nn::ConvNorm(build.in("conv1"), build.in("bn1"), build.channels, stem, 3);
    int64_t in = stem;
    for (size_t stage = 0; stage < kStages; ++stage) {
      const int64_t out = stage_channels(stage);
      build_stage(build.in(stage_name(stage)), stages_[stage], in, out, stage == 0 ? 1 : 2);
      in = out;
    }
    classifier_ = nn::Linear(build.in("fc"), in, build.class_count);
  }

  Tensor forward(const Tensor& images, const Taps& taps) override {
    Tensor x = taps("stem", stem_.relu(images));
    for (size_t stage = 0; stage < kStages; ++stage) {
      const auto& blocks = stages_[stage];
      for (size_t i = 0; i + 1 < blocks.size(); ++i) x = blocks[i](x);
      x = taps.last_block(stage_name(stage), blocks.back(), x);
    }
    return classifier_(taps("pooled", global_avg_pool2d(x)));
  }

 private:
  static constexpr size_t kStages = 3;

  static std::string stage_name(size_t stage) { return "layer" + std::to_string(stage + 1); }
  int64_t stage_channels(size_t stage) const {
    return std::max<int64_t>(1, std::llround(16 * options.width)) << stage;
  }

  void check_depth() const {
    if (options.depth >= 8 && (options.depth - 2) % 6 == 0) return;
    const int64_t below = std::max<int64_t>(8, (options.depth - 2) / 6 * 6 + 2);
    throw ConfigError("depth = " + std::to_string(options.depth) +
                      "; this network has 6n + 2 layers: use " + std::to_string(below) + " or " +
                      std::to_string(below + 6));
  }

  void build_stage(const Builder& builder, std::vector<BasicBlock>& blocks, int64_t in, int64_t out,
                   int64_t stride) const {
    for (int64_t i = 0; i < (options.depth - 2) / 6; ++i) {
      blocks.emplace_back(builder.in(std::to_string(i)), options.shortcut, i == 0 ? in : out, out,
                          i == 0 ? stride : 1);
    }
  }

  nn::ConvNorm stem_;
  std::vector<BasicBlock> stages_[kStages];
  nn::Linear classifier_;
};

}  // namespace

RETORT_MODEL(ResNet, "resnet", "1.0.0", "Residual network of the CIFAR family (He 2016)",
             paper("He et al. 2016, arXiv:1512.03385"), verified("RepDistiller"), licence("MIT"),
             option("depth", &ResNet::Options::depth).at_least(8).help("layers, 6n + 2"),
             option("width", &ResNet::Options::width)
                 .above(0)
                 .at_most(64)
                 .help("multiplies the stages' 16, 32, 64 channels"),
             option("stem", &ResNet::Options::stem)
                 .at_least(0)
                 .at_most(4096)
                 .help("channels of the stem; 0: 16, or half of the first stage if more"),
             option("shortcut", &ResNet::Options::shortcut)
                 .one_of("A", "B")
                 .help("A: subsample and pad with zeros; B: 1x1 convolution and batch norm"))
