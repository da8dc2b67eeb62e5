#include <retort/dataset.hpp>
#include <retort/model.hpp>
#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Images of one channel and 8 x 8 pixels: a wave whose direction and length are the class.
/// Source:  ours, for tests alone.
class Waves final : public Dataset {
 public:
  struct Options {
    int64_t train = 256;
    int64_t test = 128;
  } options;

  DatasetInfo open() override {
    DatasetInfo info;
    info.train_count = options.train;
    info.test_count = options.test;
    info.channels = 1;
    info.height = kSize;
    info.width = kSize;
    info.class_count = kClasses;
    info.class_names = {"flat", "steep", "rising", "falling"};
    info.mean = {0.5};
    info.stddev = {0.25};
    return info;
  }

  void read(Split split, int64_t first, int64_t count, uint8_t* pixels, int64_t* labels) override {
    for (int64_t i = first; i < first + count; ++i) {
      const int64_t label = i % kClasses;
      *labels++ = label;
      const int64_t shift = i / kClasses + (split == Split::Test ? 3 : 0);
      for (int64_t y = 0; y < kSize; ++y) {
        for (int64_t x = 0; x < kSize; ++x) *pixels++ = pixel(label, x, y, shift);
      }
    }
  }

 private:
  static constexpr int64_t kSize = 8;
  static constexpr int64_t kClasses = 4;

  static uint8_t pixel(int64_t label, int64_t x, int64_t y, int64_t shift) {
    const int64_t along[] = {2 * x, 3 * y, x + y, x - y};
    return static_cast<uint8_t>(((along[label] + shift) & 7) * 28 +
                                (x * 5 + y * 3 + shift * 11) % 40);
  }
};

/// A convolution with batch norm, the mean over the pixels, a linear layer.
/// Source:  ours, for tests alone.
/// Inputs:  x [N, channels, H, W].
/// Output:  [N, class_count].
/// Taps:    layer1, layer1.preact, pooled.
class Net final : public Model {
 public:
  struct Options {
    int64_t width = 4;
  } options;

  void build(const ModelBuild& build) override {
    nn::ConvOptions same;
    same.padding = 1;
    same.bias = false;
    conv_ = nn::Conv2d(build.in("conv1"), build.channels, options.width, 3, same);
    norm_ = nn::BatchNorm(build.in("bn1"), options.width);
    fc_ = nn::Linear(build.in("fc"), options.width, build.class_count);
  }

  Tensor forward(const Tensor& images, const Taps& taps) override {
    const Tensor before = taps("layer1.preact", norm_(conv_(images)));
    return fc_(taps("pooled", global_avg_pool2d(taps("layer1", relu(before)))));
  }

 private:
  nn::Conv2d conv_;
  nn::BatchNorm norm_;
  nn::Linear fc_;
};

/// Uses a part of everything that a strategy of SDK ABI 0.2 has: options of each type, taps, labels
/// and indices, a module, a buffer that it writes, a draw, a metric.
///   f_s  = W student.pooled, f_t = teacher.pooled + noise * u, u uniform in [0, 1)
///   loss = scale * times * mean((f_s - f_t)^2)        (|f_s - f_t| for norm = "l1")
///        + mean((f_s - centre[label])^2)
///   centre[c] = 0.9 centre[c] + 0.1 mean of the teacher's features of class c, after the step
/// Source:  ours, for tests alone.
/// Inputs:  student.features[0] [N, Ds]; teacher.features[0] [N, Dt]; labels [N].
/// Output:  [] float.
class Centres final : public Strategy {
 public:
  struct Options {
    double scale = 1;
    int64_t times = 1;
    bool centre = true;
    std::string_view norm = "l2";
    double noise = 0.01;
  } options;

  void setup(Setup& setup) override {
    const int64_t in = setup.student.features.at(0)[1], out = setup.teacher.features.at(0)[1];
    map_ = nn::Linear(setup.in("map"), in, out);
    centres_ = setup.buffer("centres", {setup.class_count, out}, init::zeros());
    classes_ = setup.class_count;
    if (setup.labels == nullptr) setup.warn("the training set has no labels");
  }

  Tensor loss(const Step& step) override {
    const Tensor target = step.teacher.features[0];
    const Tensor u = step.uniform("noise", {target.size(0), target.size(1)});
    const Tensor mapped = map_(step.student.features[0]);      // [N, Dt]
    const Tensor gap = mapped - (target + u * options.noise);  // [N, Dt]
    Tensor loss = (options.norm == "l1" ? mean(abs(gap)) : mean(square(gap))) *
                  (options.scale * static_cast<double>(options.times));
    step.log("gap", loss);
    if (options.centre) loss = loss + mean(square(mapped - index_select(centres_, 0, step.labels)));
    return loss;
  }

  void after_backward(const Step& step) override {
    const Tensor of_class = one_hot_rows(step.labels);            // [C, N]
    const Tensor count = clamp_min(sum(of_class, 1, true), 1.0);  // [C, 1]
    const Tensor now = matmul(of_class, step.teacher.features[0]) / count;
    static const Operator copy("aten::copy_");
    copy(centres_, centres_ * 0.9 + now * 0.1);
  }

 private:
  Tensor one_hot_rows(const Tensor& labels) const {
    const Tensor classes = arange(classes_);
    return to(unsqueeze(classes, 1) == unsqueeze(labels, 0), Dtype::Float32);
  }

  nn::Linear map_;
  Tensor centres_;  // [C, Dt]
  int64_t classes_ = 0;
};

}  // namespace

RETORT_PLUGIN(
    dataset<Waves>("golden_waves", "0.1.0", "Waves of four directions, for tests", licence("MIT"),
                   option("train", &Waves::Options::train).at_least(1).help("training samples"),
                   option("test", &Waves::Options::test).at_least(1).help("test samples")),
    model<Net>("golden_net", "0.1.0", "A convolution and a linear layer, for tests", licence("MIT"),
               option("width", &Net::Options::width).at_least(1).help("channels")),
    strategy<Centres>(
        "golden.centres", "0.1.0", "Pooled features and class centres, for tests",
        needs(Labels, Features), binds("pooled"), licence("MIT"), batch(2, 2), uses("aten::copy_"),
        option("scale", &Centres::Options::scale).above(0).help("multiplies the loss"),
        option("times", &Centres::Options::times).at_least(1).help("multiplies it too"),
        option("centre", &Centres::Options::centre).help("add the centres' term"),
        option("norm", &Centres::Options::norm).help("l1 or l2"),
        option("noise", &Centres::Options::noise).at_least(0).help("of the target")))
