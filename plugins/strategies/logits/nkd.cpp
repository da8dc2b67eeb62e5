#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Teaches how sure the teacher is of a sample's class, and, apart from that, how it spreads the
/// rest over the other classes.
///   p = softmax(z);  q = softmax over the classes c != y of z / t
///   loss = -mean_n p_t(y) log p_s(y) - gamma t^2 mean_n sum_{c != y} q_t(c) log q_s(c)
/// Source:  Yang et al. 2023, arXiv:2303.13005 (NKD), and the authors' code.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C], -inf at a class that the
///          teacher excludes (not at all that are not the label, where q is 0 / 0); labels [N].
/// Output:  [] float32, > 0: cross-entropies, not 0 where both agree.
/// Params:  temperature  > 0, default 1, of the second term only.
///          gamma        >= 0, default 1.5, weight of the second term.
/// Throws:  ShapeError at set-up if the logits differ in shape or have one class.
class Nkd final : public Strategy {
 public:
  struct Options {
    double temperature = 1;
    double gamma = 1.5;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
    if (setup.class_count == 2)
      setup.warn("with 2 classes the term of the other classes is 0, and gamma does nothing");
  }

  Tensor loss(const Step& step) override {
    const double t = options.temperature;
    const Tensor& labels = step.labels;
    const Tensor teacher = target_logit(log_softmax(step.teacher.logits, 1), labels);  // [N, 1]
    const Tensor student = target_logit(log_softmax(step.student.logits, 1), labels);  // [N, 1]
    const Tensor own = exp(teacher) * masked_fill(student, is_excluded(teacher), 0);
    const Tensor rest = other_logits(step.teacher.logits, labels);  // [N, C - 1]
    const Tensor logs = log_softmax(other_logits(step.student.logits, labels) / t, 1);
    const Tensor others = softmax(rest / t, 1) * masked_fill(logs, is_excluded(rest), 0);
    return -mean(own) - options.gamma * t * t * mean(sum(others, 1));
  }
};

}  // namespace

RETORT_STRATEGY(
    Nkd, "logits.nkd", "1.0.0", "Normalised distillation (Yang 2023)", needs(Logits, Labels),
    paper("Yang et al. 2023, arXiv:2303.13005"), verified("the authors' code"), licence("MIT"),
    option("temperature", &Nkd::Options::temperature)
        .above(0)
        .help("softens the distributions over the other classes"),
    option("gamma", &Nkd::Options::gamma).at_least(0).help("weight of the other classes"))
