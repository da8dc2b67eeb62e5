#include <retort/model.hpp>

#include <algorithm>

using namespace retort;

namespace {

/// 3x3 convolutions of one size, each with batch norm and, but for the last, ReLU.
class Block {
 public:
  Block() = default;
  Block(const Builder& builder, int64_t in, int64_t out, int64_t count) {
    nn::ConvOptions same;
    same.padding = 1;
    same.weight_init = init::kaiming_normal(0, Fan::Out);
    for (int64_t i = 0; i < count; ++i) {  // conv, norm, ReLU: three names each
      convs_.emplace_back(builder.in(message(3 * i)), i == 0 ? in : out, out, 3, same);
      norms_.emplace_back(builder.in(message(3 * i + 1)), out);
    }
  }

  Tensor preactivation(const Tensor& x) const { return norms_.back()(convs_.back()(inner(x))); }
  Tensor operator()(const Tensor& x) const { return norms_.back().relu(convs_.back()(inner(x))); }

 private:
  Tensor inner(Tensor x) const {
    for (size_t i = 0; i + 1 < convs_.size(); ++i) x = norms_[i].relu(convs_[i](x));
    return x;
  }

  std::vector<nn::Conv2d> convs_;
  std::vector<nn::BatchNorm> norms_;
};

/// The VGG networks as distillation compares them on CIFAR: five blocks of 3x3 convolutions with
/// batch norm and 64, 128, 256, 512 and 512 channels, 2x2 max pooling after the first three, the
/// mean over the pixels, one linear layer. Images of 64 pixels or more are pooled after the fourth
/// block too.
/// Source:  Simonyan and Zisserman 2015, arXiv:1409.1556, table 1; names, vgg8 and the single
///          linear layer of the CRD authors' vgg.
/// Inputs:  x [N, channels, H, W], H and W >= 8.
/// Output:  [N, class_count].
/// Taps:    stem: the first block; layer1 .. layer4: the others, each after its last ReLU, and
///          layer1.preact ... before it; pooled [N, 512].
/// Params:  depth  8, 11, 13, 16 or 19; default 8.
/// Throws:  ConfigError for another depth, and for images below 8 x 8.
/// Differs: the authors pool after the fourth block at a height of exactly 64.
class Vgg final : public Model {
 public:
  struct Options {
    int64_t depth = 8;
  } options;

  void build(const ModelBuild& build) override {
    if (std::min(build.height, build.width) < 8) {
      throw ConfigError(message("images of ", build.height, " x ", build.width,
                                " pixels; vgg halves them three times and needs 8 x 8 or more: "
                                "choose model = \"resnet\" or larger images"));
    }
    const int64_t* convolutions = convolutions_of(options.depth);
    int64_t in = build.channels;
    for (size_t i = 0; i < kBlocks; ++i) {
      const int64_t out = std::min<int64_t>(64 << i, 512);
      blocks_[i] = Block(build.in(message("block", i)), in, out, convolutions[i]);
      in = out;
    }
    pools_often_ = build.height >= 64;
    classifier_ = nn::Linear(build.in("classifier"), in, build.class_count, init::normal(0.01));
  }

  Tensor forward(const Tensor& images, const Taps& taps) override {
    Tensor x = taps("stem", blocks_[0](images));
    for (size_t i = 1; i < kBlocks; ++i) {
      if (i < kBlocks - 1 || pools_often_) x = max_pool2d(x, 2);
      x = taps.last_block(message("layer", i), blocks_[i], x);
    }
    return classifier_(taps("pooled", global_avg_pool2d(x)));
  }

 private:
  static constexpr size_t kBlocks = 5;

  /// How many each block has.
  static const int64_t* convolutions_of(int64_t depth) {
    struct Row {
      int64_t depth;
      int64_t convolutions[kBlocks];
    };
    static constexpr Row rows[] = {{8, {1, 1, 1, 1, 1}},
                                   {11, {1, 1, 2, 2, 2}},
                                   {13, {2, 2, 2, 2, 2}},
                                   {16, {2, 2, 3, 3, 3}},
                                   {19, {2, 2, 4, 4, 4}}};
    for (const Row& row : rows) {
      if (row.depth == depth) return row.convolutions;
    }
    throw ConfigError(
        message("depth = ", depth, "; vgg is defined with 8, 11, 13, 16 or 19 layers"));
  }

  Block blocks_[kBlocks];
  bool pools_often_ = false;
  nn::Linear classifier_;
};

}  // namespace

RETORT_MODEL(Vgg, "vgg", "1.0.0", "VGG with batch norm (Simonyan 2015)",
             paper("Simonyan and Zisserman 2015, arXiv:1409.1556"), verified("RepDistiller"),
             licence("MIT"),
             option("depth", &Vgg::Options::depth)
                 .at_least(8)
                 .at_most(19)
                 .help("layers: 8, 11, 13, 16 or 19"))
