#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Pulls the student's softened class probabilities towards the teacher's.
///   p = softmax(z_t / t), q = softmax(z_s / t)
///   forward_kl:      loss = t^2 KL(p || q)
///   reverse_kl:      loss = t^2 KL(q || p)
///   jensen_shannon:  loss = t^2 (beta KL(p || m) + (1 - beta) KL(q || m))
///                    m = beta p + (1 - beta) q
///   each KL is a mean over the batch
/// Source:  Hinton et al. 2015, arXiv:1503.02531, section 2; the other divergences as Agarwal et
///          al. 2024 (GKD), arXiv:2306.13649, eq. 1.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C], -inf at a class that the
///          teacher excludes (not with standardize).
/// Output:  [] float32, >= 0; 0 where both agree. reverse_kl is infinite where the teacher excludes
///          a class that the student does not.
/// Params:  temperature  > 0, default 4.
///          divergence   forward_kl (default), reverse_kl or jensen_shannon.
///          beta         in (0, 1), default 0.5, the teacher's share of m.
///          standardize  default false; true compares standardised logits (logits.lskd).
/// Throws:  ShapeError if the logits differ in shape or have one class.
/// Differs: GKD has no t^2, and takes beta 0 and 1 for the two KL divergences, which its formula
///          does not tend to (it vanishes there): here these have names.
class Kd final : public Strategy {
 public:
  enum class Divergence { ForwardKl, ReverseKl, JensenShannon };
  struct Options {
    double temperature = 4;
    Divergence divergence = Divergence::ForwardKl;
    double beta = 0.5;
    bool standardize = false;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
    if (options.standardize && setup.class_count == 2) setup.warn(kOrderIsLeft);
  }

  Tensor loss(const Step& step) override {
    const double t = options.temperature;
    return t * t * divergence(soften(step.teacher.logits), soften(step.student.logits));
  }

 private:
  /// The logarithms of the softened probabilities.
  Tensor soften(const Tensor& logits) const {
    return log_softmax((options.standardize ? standardize(logits) : logits) / options.temperature,
                       -1);
  }

  /// Logarithms of probabilities, finite: of a class that both exclude logsumexp has no gradient.
  static Tensor possible(const Tensor& log_p) { return clamp_min(log_p, -1e38); }

  Tensor divergence(const Tensor& teacher, const Tensor& student) const {
    if (options.divergence == Divergence::ForwardKl) return kl_divergence(teacher, student);
    if (options.divergence == Divergence::ReverseKl) return kl_divergence(student, teacher);
    const double beta = options.beta;
    const Tensor mixture = logsumexp(stack({possible(teacher) + detail::natural_log(beta),
                                            possible(student) + detail::natural_log(1 - beta)}),
                                     0);  // [N, C]
    return beta * kl_divergence(teacher, mixture) + (1 - beta) * kl_divergence(student, mixture);
  }
};

}  // namespace

RETORT_STRATEGY(
    Kd, "logits.kd", "1.1.0", "Soft targets (Hinton 2015)", needs(Logits),
    paper("Hinton et al. 2015, arXiv:1503.02531"), verified("RepDistiller, mdistiller, TRL"),
    licence("MIT"),
    option("temperature", &Kd::Options::temperature).above(0).help("softens both distributions"),
    option("divergence", &Kd::Options::divergence)
        .one_of("forward_kl", "reverse_kl", "jensen_shannon")
        .help("how the student's distribution is compared with the teacher's"),
    option("beta", &Kd::Options::beta)
        .above(0)
        .below(1)
        .help("the teacher's share of the mixture of jensen_shannon"),
    option("standardize", &Kd::Options::standardize).help("compares z-scores of the logits"))
