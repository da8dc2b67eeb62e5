#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Soft targets whose temperature is trained against the student, ever harder: a curriculum.
///   t      = t_start + t_end sigmoid(theta), theta trained from 1
///   loss   = t^2 KL(softmax(z_t / t) || softmax(z_s / t)), mean over the batch
///   the gradient of theta is multiplied by (1 + cos(pi min(e, E) / E)) / 2 - 1, with e the epoch
///   from 1 and E = ramp_epochs: in [-1, 0], so theta climbs where the student descends
/// Source:  Li et al. 2023, arXiv:2211.16231 (global temperature), and the authors' code.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C], -inf at a class that the
///          teacher excludes (not with standardize).
/// Output:  [] float32, >= 0; 0 where both agree.
/// Params:  t_start      > 0, default 1, the lowest temperature.
///          t_end        > 0, default 20, how far above it theta can go.
///          ramp_epochs  >= 1, default 10, epochs until the factor is -1.
///          standardize  default false; true compares standardised logits (logits.lskd).
/// Throws:  ShapeError at set-up if the logits differ in shape or have one class.
/// Differs: theta takes the optimizer's rate and weight decay, as the authors' does. The released
///          code of logit standardisation inverts its flag here; this one standardises when told.
class Ctkd final : public Strategy {
 public:
  struct Options {
    double t_start = 1;
    double t_end = 20;
    int64_t ramp_epochs = 10;
    bool standardize = false;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
    if (options.standardize && setup.class_count == 2) setup.warn(kOrderIsLeft);
    theta_ = setup.parameter("theta", {}, init::constant(1));
  }

  Tensor loss(const Step& step) override {
    const Tensor held = detach(theta_);
    const Tensor theta = held + strength(step.epoch + 1) * (theta_ - held);  // the value of theta_
    const Tensor t = options.t_start + options.t_end * sigmoid(theta);       // []
    const Tensor student = log_softmax(cooled(scores(step.student.logits), t), 1);  // [N, C]
    const Tensor teacher = log_softmax(cooled(scores(step.teacher.logits), t), 1);  // [N, C]
    step.log("temperature", t);
    return t * t * kl_divergence(teacher, student);
  }

 private:
  /// What the gradient of theta is multiplied by: 0 down to -1 over the ramp.
  double strength(int64_t epoch) const {
    const int64_t ramp = options.ramp_epochs;
    const double done =
        static_cast<double>(epoch < ramp ? epoch : ramp) / static_cast<double>(ramp);
    return 0.5 * (1 + __builtin_cos(3.14159265358979323846 * done)) - 1;
  }

  /// logits / t; an excluded class has no part in the gradient of t, where -inf would make it NaN.
  static Tensor cooled(const Tensor& logits, const Tensor& t) {
    const Tensor excluded = is_excluded(logits);
    return masked_fill(masked_fill(logits, excluded, 0) / t, excluded, -__builtin_inf());
  }

  Tensor scores(const Tensor& logits) const {
    return options.standardize ? standardize(logits) : logits;
  }

  Tensor theta_;  // []
};

}  // namespace

RETORT_STRATEGY(
    Ctkd, "logits.ctkd", "1.0.0", "Curriculum temperature (Li 2023)", needs(Logits),
    paper("Li et al. 2023, arXiv:2211.16231"), verified("the authors' code"), licence("MIT"),
    option("t_start", &Ctkd::Options::t_start).above(0).help("the lowest temperature"),
    option("t_end", &Ctkd::Options::t_end).above(0).help("how far above it the temperature can go"),
    option("ramp_epochs", &Ctkd::Options::ramp_epochs)
        .at_least(1)
        .help("epochs until the temperature works against the student in full"),
    option("standardize", &Ctkd::Options::standardize).help("compares z-scores of the logits"))
