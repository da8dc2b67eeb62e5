#include <retort/model.hpp>

#include <algorithm>
#include <cmath>

using namespace retort;

namespace {

nn::Conv2d conv(const Builder& builder, int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  nn::ConvOptions options;
  options.stride = stride;
  options.padding = kernel / 2;
  options.bias = false;
  options.weight_init = init::kaiming_normal(0, Fan::Out);
  return nn::Conv2d(builder, in, out, kernel, options);
}

/// Two 3x3 convolutions, each behind batch norm and ReLU, and a shortcut: the input, or where the
/// channels change a 1x1 convolution of the input after its batch norm and ReLU.
class PreactBlock {
 public:
  PreactBlock(const Builder& builder, int64_t in, int64_t out, int64_t stride)
      : norm1_(builder.in("bn1"), in),
        conv1_(conv(builder.in("conv1"), in, out, 3, stride)),
        norm2_(builder.in("bn2"), out),
        conv2_(conv(builder.in("conv2"), out, out, 3, 1)),
        projects_(in != out) {
    if (projects_) shortcut_ = conv(builder.in("convShortcut"), in, out, 1, stride);
  }

  /// The batch norm that takes the block's input.
  const nn::BatchNorm& norm() const { return norm1_; }

  Tensor operator()(const Tensor& x) const { return (*this)(x, norm1_.relu(x)); }
  /// The same, where active = relu(norm()(x)) is there already.
  Tensor operator()(const Tensor& x, const Tensor& active) const {
    return conv2_(norm2_.relu(conv1_(active))) + (projects_ ? shortcut_(active) : x);
  }

 private:
  nn::BatchNorm norm1_;
  nn::Conv2d conv1_;
  nn::BatchNorm norm2_;
  nn::Conv2d conv2_;
  nn::Conv2d shortcut_;
  bool projects_;
};

/// The wide residual networks for CIFAR: a 3x3 stem of 16 channels, three stages of
/// (depth - 4) / 6 pre-activation blocks with 16, 32 and 64 channels times `width` and strides 1,
/// 2, 2, batch norm, ReLU, the mean over the pixels, a linear layer. Depth 40 and width 2 give
/// wrn_40_2.
/// Source:  Zagoruyko and Komodakis 2016, arXiv:1605.07146, table 1; names of the CRD authors' wrn.
/// Inputs:  x [N, channels, H, W] of any size.
/// Output:  [N, class_count].
/// Taps:    stem: the convolution alone; layer1, layer2, layer3: each stage's sum, which no ReLU
///          follows; layer1.preact ...: the batch norm of that sum with which the next stage, or
///          the end of the network, begins; pooled [N, C].
/// Params:  depth  6n + 4, default 16.
///          width  > 0, default 2: multiplies the stages' channels.
/// Throws:  ConfigError for another depth.
/// Differs: the dropout is left out, which distillation sets to 0. Asking for layer1.preact does not
///          run its batch norm a second time, so running statistics do not depend on who looks.
class WideResNet final : public Model {
 public:
  struct Options {
    int64_t depth = 16;
    double width = 2;
  } options;

  void build(const ModelBuild& build) override {
    check_depth();
    int64_t in = 16;
    stem_ = conv(build.in("conv1"), build.channels, in, 3, 1);
    for (size_t stage = 0; stage < kStages; ++stage) {
      const int64_t out = std::max<int64_t>(1, std::llround(16 * options.width)) << stage;
      build_stage(build.in(message("block", stage + 1, ".layer")), stages_[stage], in, out,
                  stage == 0 ? 1 : 2);
      in = out;
    }
    norm_ = nn::BatchNorm(build.in("bn1"), in);
    classifier_ = nn::Linear(build.in("fc"), in, build.class_count);
  }

  Tensor forward(const Tensor& images, const Taps& taps) override {
    Tensor x = taps("stem", stem_(images));
    Tensor active = stages_[0].front().norm().relu(x);
    for (size_t stage = 0; stage < kStages; ++stage) {
      const auto& blocks = stages_[stage];
      x = blocks.front()(x, active);
      for (size_t i = 1; i < blocks.size(); ++i) x = blocks[i](x);
      const std::string name = message("layer", stage + 1), before = name + ".preact";
      taps(name, x);
      const nn::BatchNorm& next = stage + 1 < kStages ? stages_[stage + 1].front().norm() : norm_;
      active = taps.wants(before) ? relu(taps(before, next(x))) : next.relu(x);
    }
    return classifier_(taps("pooled", global_avg_pool2d(active)));
  }

 private:
  static constexpr size_t kStages = 3;

  void check_depth() const {
    if (options.depth >= 10 && (options.depth - 4) % 6 == 0) return;
    const int64_t below = std::max<int64_t>(10, (options.depth - 4) / 6 * 6 + 4);
    throw ConfigError(message("depth = ", options.depth, "; this network has 6n + 4 layers: use ",
                              below, " or ", below + 6));
  }

  void build_stage(const Builder& builder, std::vector<PreactBlock>& blocks, int64_t in,
                   int64_t out, int64_t stride) const {
    for (int64_t i = 0; i < (options.depth - 4) / 6; ++i) {
      blocks.emplace_back(builder.in(message(i)), i == 0 ? in : out, out, i == 0 ? stride : 1);
    }
  }

  nn::Conv2d stem_;
  std::vector<PreactBlock> stages_[kStages];
  nn::BatchNorm norm_;
  nn::Linear classifier_;
};

}  // namespace

RETORT_MODEL(WideResNet, "wrn", "1.0.0", "Wide residual network (Zagoruyko 2016)",
             paper("Zagoruyko and Komodakis 2016, arXiv:1605.07146"), verified("RepDistiller"),
             licence("MIT"),
             option("depth", &WideResNet::Options::depth).at_least(10).help("layers, 6n + 4"),
             option("width", &WideResNet::Options::width)
                 .above(0)
                 .at_most(64)
                 .help("multiplies the stages' 16, 32, 64 channels"))
