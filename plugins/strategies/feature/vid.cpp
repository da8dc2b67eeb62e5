#include <retort/strategy.hpp>

using namespace retort;

namespace {

constexpr double kMinVariance = 1e-5;

/// Maps a student's channels to the teacher's: the mean that the student predicts.
class Regressor {
 public:
  Regressor(const Builder& builder, int64_t student, int64_t teacher) {
    nn::ConvOptions options;
    options.bias = false;
    first_ = nn::Conv2d(builder.in("0"), student, teacher, 1, options);
    second_ = nn::Conv2d(builder.in("2"), teacher, teacher, 1, options);
    third_ = nn::Conv2d(builder.in("4"), teacher, teacher, 1, options);
  }
  Tensor operator()(const Tensor& x) const { return third_(relu(second_(relu(first_(x))))); }

 private:
  nn::Conv2d first_, second_, third_;
};

/// Raises the information that the student's maps carry about the teacher's: the negative log
/// likelihood of the teacher's under a Gaussian around what the student predicts.
///   mean_  = conv1x1(relu(conv1x1(relu(conv1x1(f_s)))));  variance_c = softplus(a_c) + 1e-5
///   loss   = mean(((mean_ - f_t)^2 / variance + log variance) / 2), summed over the bound taps
///   the larger of two maps is averaged to the other's size; a_c is learnt
/// Source:  Ahn et al. 2019, arXiv:1904.05835, section 2.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features [N, Ct, Ht, Wt].
/// Output:  [] float32, >= log(1e-5) / 2 a tap.
/// Params:  initial_variance  > 1e-5, default 5, the variance that training starts from.
/// Throws:  ShapeError at set-up for taps that are no feature maps.
/// Differs: the paper's constant log(2 pi) / 2 is left out, as by the authors.
class Vid final : public Strategy {
 public:
  struct Options {
    double initial_variance = 5;
  } options;

  void setup(Setup& setup) override {
    const double variance = options.initial_variance - kMinVariance;
    // softplus backwards: log(exp(x) - 1), which must not overflow
    const double start = variance + detail::natural_log(-__builtin_expm1(-variance));
    for (size_t i = 0; i < setup.student.features.size(); ++i) {
      const Shape student = setup.student.features[i], teacher = setup.teacher.features[i];
      require_maps(student, teacher);
      regressors_.emplace_back(setup.in(message("regressors.", i)), student[1], teacher[1]);
      scales_.push_back(
          setup.parameter(message("log_scales.", i), {teacher[1]}, init::constant(start)));
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < regressors_.size(); ++i) {
      const MapPair maps = match_size(step.student.features[i], step.teacher.features[i]);
      const Tensor variance = reshape(softplus(scales_[i]) + kMinVariance, {1, -1, 1, 1});
      const Tensor misses = square(regressors_[i](maps.student) - maps.teacher);  // [N, Ct, H, W]
      total += (mean(misses / variance) + mean(log(variance))) * 0.5;
    }
    return total;
  }

 private:
  std::vector<Regressor> regressors_;
  std::vector<Tensor> scales_;  // [Ct] each
};

}  // namespace

RETORT_STRATEGY(Vid, "feature.vid", "1.0.0", "Variational information distillation (Ahn 2019)",
                binds("stages"), paper("Ahn et al. 2019, arXiv:1904.05835"),
                verified("RepDistiller"), licence("MIT"),
                option("initial_variance", &Vid::Options::initial_variance)
                    .above(kMinVariance)
                    .help("of the teacher's maps around the student's prediction"))
