#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Makes the student's feature vector equal to the teacher's, least where it is least certain: it
/// learns a variance for each element.
///   v    = batch_norm(linear(s)), the logarithm of the variance
///   loss = mean((t - s)^2 / (1e-6 + exp(v)) + v), summed over the bound taps
/// Source:  Zhang et al. 2020, arXiv:2008.01458, section 3; constants and head as torchdistill has
///          them from the authors' code.
/// Inputs:  student.features [N, ...] each, requires grad, flattened to [N, Ds]; teacher.features
///          flattened to [N, Dt]; N >= 2. Where Ds and Dt differ, s = linear(f_s) with a trained
///          map, otherwise s = f_s.
/// Output:  [] float32, unbounded below.
/// Differs: the authors warm up with plain mean squared errors first (a transfer of its own).
class Pad final : public Strategy {
 public:
  struct Options {
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i) heads_.emplace_back(setup, i);
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < heads_.size(); ++i) {
      const Head& head = heads_[i];
      const Tensor teacher = flatten(step.teacher.features[i], 1);                // [N, Dt]
      const Tensor student = head.aligned(flatten(step.student.features[i], 1));  // [N, Dt]
      const Tensor log_variance = head.norm(head.linear(student));                // [N, Dt]
      total += mean(square(teacher - student) / (exp(log_variance) + 1e-6) + log_variance);
    }
    return total;
  }

 private:
  /// The modules of one pair of taps.
  struct Head {
    Head(const Setup& setup, size_t i) {
      const Shape& from = setup.student.features[i];
      const Shape& to = setup.teacher.features[i];
      const int64_t in = from.numel() / from[0], out = to.numel() / to[0];
      needs_align = in != out;
      if (needs_align) align = nn::Linear(setup.in(message("align", i)), in, out);
      const Builder estimator = setup.in(message("var_estimator", i));
      linear = nn::Linear(estimator.in("0"), out, out);
      norm = nn::BatchNorm(estimator.in("1"), out);
    }
    Tensor aligned(const Tensor& x) const { return needs_align ? align(x) : x; }

    nn::Linear align, linear;
    nn::BatchNorm norm;
    bool needs_align = false;
  };

  std::vector<Head> heads_;
};

}  // namespace

RETORT_STRATEGY(Pad, "feature.pad", "1.0.0", "Prime-aware adaptive distillation (Zhang 2020)",
                binds("pooled"), batch(2), paper("Zhang et al. 2020, arXiv:2008.01458"),
                verified("torchdistill's formula, typed anew"), licence("MIT"))
