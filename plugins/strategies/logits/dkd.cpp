#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// A sample's softened distribution in two parts, as logarithms.
struct Decoupled {
  Tensor binary;  // [N, 2]      its class, all others together
  Tensor others;  // [N, C - 1]  among the others
};

Decoupled decouple(const Tensor& logits, const Tensor& labels) {
  const Tensor all = logsumexp(logits, 1, true);             // [N, 1]
  const Tensor others = other_logits(logits, labels);        // [N, C - 1]
  const Tensor target = target_logit(logits, labels) - all;  // log p(y)
  const Tensor rest = logsumexp(others, 1, true) - all;      // log(1 - p(y))
  return {cat({target, rest}, 1), log_softmax(others, 1)};
}

/// Weighs what the teacher says of a sample's class (TCKD) and of the other classes (NCKD) apart.
///   b    = [p(y), 1 - p(y)] of p = softmax(z / t);  q = softmax over the classes c != y of z / t
///   loss = t^2 (alpha KL(b_t || b_s) + beta KL(q_t || q_s)), means over the batch
/// Source:  Zhao et al. 2022, arXiv:2203.08679, eq. 7.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C], -inf at a class that the
///          teacher excludes (not with standardize; not at all that are not the label, where q is
///          0 / 0); labels [N].
/// Output:  [] float32, >= 0; 0 where both agree.
/// Params:  alpha        >= 0, default 1, weight of TCKD.
///          beta         >= 0, default 8, weight of NCKD; the authors tune it for each pair.
///          temperature  > 0, default 4.
///          standardize  default false; true compares standardised logits (logits.lskd).
/// Throws:  ShapeError at set-up if the logits differ in shape or have one class; ConfigError if no
///          term is left.
/// Differs: the authors ramp the loss up over 20 epochs: `weight = { from = 0, to = 1, epochs =
///          [0, 20] }` of the experiment. They take logarithms of probabilities, and hide the class
///          with -1000; here all is in log space, finite for any logits.
class Dkd final : public Strategy {
 public:
  struct Options {
    double alpha = 1;
    double beta = 8;
    double temperature = 4;
    bool standardize = false;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
    if (options.alpha == 0 && options.beta == 0)
      throw ConfigError("alpha = 0 and beta = 0 leave no loss; set one of them above 0");
    if (setup.class_count > 2) return;
    if (options.alpha == 0) {
      throw ConfigError(
          "alpha = 0 leaves no loss: with 2 classes there is one class besides the label, so NCKD "
          "is 0; set alpha above 0");
    }
    setup.warn(
        "with 2 classes there is one class besides the label, so NCKD is 0 and beta does "
        "nothing: what is left is alpha times logits.kd");
    if (options.standardize) setup.warn(kOrderIsLeft);
  }

  Tensor loss(const Step& step) override {
    const double t = options.temperature;
    const Decoupled student = decouple(soften(step.student.logits), step.labels);
    const Decoupled teacher = decouple(soften(step.teacher.logits), step.labels);
    return t * t * options.alpha * kl_divergence(teacher.binary, student.binary) +
           t * t * options.beta * kl_divergence(teacher.others, student.others);
  }

 private:
  Tensor soften(const Tensor& logits) const {
    return (options.standardize ? standardize(logits) : logits) / options.temperature;
  }
};

}  // namespace

RETORT_STRATEGY(
    Dkd, "logits.dkd", "1.0.0", "Decoupled distillation (Zhao 2022)", needs(Logits, Labels),
    paper("Zhao et al. 2022, arXiv:2203.08679"), verified("mdistiller, mmrazor"), licence("MIT"),
    option("alpha", &Dkd::Options::alpha).at_least(0).help("weight of the sample's own class"),
    option("beta", &Dkd::Options::beta).at_least(0).help("weight of the other classes"),
    option("temperature", &Dkd::Options::temperature).above(0).help("softens both distributions"),
    option("standardize", &Dkd::Options::standardize).help("compares z-scores of the logits"))
