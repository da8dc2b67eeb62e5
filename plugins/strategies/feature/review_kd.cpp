#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// A pooled vector is a map of one pixel.
Shape map_shape(const Shape& tap) {
  if (tap.rank() != 2 && tap.rank() != 4) {
    throw ShapeError(message("reviews feature maps [N, C, H, W] and vectors [N, C], not ",
                             tap.text(), "; bind other taps"));
  }
  return tap.rank() == 4 ? tap : Shape{tap[0], tap[1], 1, 1};
}
Tensor as_map(const Tensor& tap) { return reshape(tap, map_shape(tap.shape())); }

/// Nearest pixels; the map itself where it has that size.
Tensor resize(const Tensor& map, int64_t height, int64_t width) {
  const Shape shape = map.shape();
  return shape[2] == height && shape[3] == width ? map : upsample_nearest2d(map, {height, width});
}

/// Fuses a student's tap with what comes from the deeper ones, by a learnt weight at each pixel.
class Fusion {
 public:
  /// `is_deepest`: there is nothing to fuse with.
  Fusion(const Builder& builder, const Shape& student, const Shape& teacher, int64_t channels,
         bool is_deepest)
      : height_(teacher[2]), width_(teacher[3]), is_deepest_(is_deepest) {
    nn::ConvOptions options;
    options.bias = false;
    options.weight_init = init::kaiming_uniform(1);
    conv1_ = nn::Conv2d(builder.in("conv1.0"), student[1], channels, 1, options);
    norm1_ = nn::BatchNorm(builder.in("conv1.1"), channels);
    options.padding = 1;
    conv2_ = nn::Conv2d(builder.in("conv2.0"), channels, teacher[1], 3, options);
    norm2_ = nn::BatchNorm(builder.in("conv2.1"), teacher[1]);
    if (!is_deepest) attention_ = nn::Conv2d(builder.in("att_conv.0"), 2 * channels, 2, 1);
  }

  /// The fused map of the teacher's height and width; undefined `deeper` at the deepest tap.
  Tensor fuse(const Tensor& tap, const Tensor& deeper) const {
    Tensor map = norm1_(conv1_(tap));  // [N, channels, H, W]
    if (!is_deepest_) {
      const Tensor other = resize(deeper, map.size(2), map.size(3));
      const Tensor weights = sigmoid(attention_(cat({map, other}, 1)));  // [N, 2, H, W]
      map = map * narrow(weights, 1, 0, 1) + other * narrow(weights, 1, 1, 1);
    }
    return resize(map, height_, width_);
  }
  /// A fused map with the teacher's channels.
  Tensor project(const Tensor& fused) const { return norm2_(conv2_(fused)); }

 private:
  nn::Conv2d conv1_, conv2_, attention_;
  nn::BatchNorm norm1_, norm2_;
  int64_t height_, width_;
  bool is_deepest_;
};

/// Squared distance of two maps, as they are and averaged down to 4, 2 and 1 pixels a side where
/// that is smaller, with weights 1, 1/2, 1/4, 1/8 in the order of use.
Tensor pyramid_distance(const Tensor& student, const Tensor& teacher) {
  Tensor total = mse_loss(student, teacher);
  const int64_t height = student.size(2);
  double weight = 1, sum = 1;
  for (const int64_t side : {4, 2, 1}) {
    if (side >= height) continue;
    weight /= 2;
    sum += weight;
    total += weight * mse_loss(adaptive_avg_pool2d(student, {side, side}),
                               adaptive_avg_pool2d(teacher, {side, side}));
  }
  return total / sum;
}

/// Lets each layer of the teacher teach the student's layer of that depth together with all deeper
/// ones: the student's maps are fused from the deepest up, and compared at several resolutions.
///   x_k   = bn(conv1x1(f_s[k]));  y = resize(fused[k + 1]);  z = sigmoid(conv1x1([x_k, y]))
///   fused[k] = resize(z_0 x_k + z_1 y) to the teacher's size;  the deepest is x_k alone
///   loss  = sum_k hcl(bn(conv3x3(fused[k])), f_t[k])
///   hcl   = sum_l w_l mse(pool_l(a), pool_l(b)) / sum_l w_l,  l = as it is, 4, 2, 1 pixels a side
/// Source:  Chen et al. 2021, arXiv:2104.09044, section 3, and the authors' code.
/// Inputs:  student.features [N, Cs, Hs, Ws] or [N, Cs], shallow to deep, requires grad;
///          teacher.features [N, Ct, Ht, Wt] or [N, Ct]; N >= 2.
/// Output:  [] float32, >= 0.
/// Throws:  ShapeError at set-up for taps that are neither maps nor vectors.
/// Differs: the authors write sizes and channels down for each model; here they are those of the
///          taps, so any two models will do. The channels fused at are those of the deepest student
///          tap, 512 at most, as theirs.
class ReviewKd final : public Strategy {
 public:
  struct Options {
  } options;

  void setup(Setup& setup) override {
    constexpr int64_t kMaxChannels = 512;
    const size_t count = setup.student.features.size();
    const int64_t deepest = map_shape(setup.student.features[count - 1])[1];
    for (size_t depth = 0; depth < count; ++depth) {  // 0: the deepest, as the authors number them
      const size_t tap = count - 1 - depth;
      fusions_.emplace_back(setup.in(message("abfs.", depth)),
                            map_shape(setup.student.features[tap]),
                            map_shape(setup.teacher.features[tap]),
                            deepest < kMaxChannels ? deepest : kMaxChannels, depth == 0);
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total, fused;
    size_t tap = fusions_.size();
    for (const Fusion& fusion : fusions_) {
      --tap;
      fused = fusion.fuse(as_map(step.student.features[tap]), fused);
      total += pyramid_distance(fusion.project(fused), as_map(step.teacher.features[tap]));
    }
    return total;
  }

 private:
  std::vector<Fusion> fusions_;
};

}  // namespace

RETORT_STRATEGY(ReviewKd, "feature.review_kd", "1.0.0", "Knowledge review (Chen 2021)",
                binds("stages,pooled", "stages.preact,pooled"), batch(2),
                paper("Chen et al. 2021, arXiv:2104.09044"), verified("mdistiller"), licence("MIT"))
