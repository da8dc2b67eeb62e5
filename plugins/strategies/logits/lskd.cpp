#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Makes the student's logits follow the teacher's in order and relative distance, whatever their
/// scale: soft targets of standardised logits.
///   z'   = (z - mean(z)) / (1e-7 + std(z)) for each sample, std with C - 1
///   loss = t^2 KL(softmax(z'_t / t) || softmax(z'_s / t)), mean over the batch
/// Source:  Sun et al. 2024, arXiv:2403.01427, algorithm 1.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C], finite: an excluded class
///          (-inf) leaves no mean to standardise by, and the loss is NaN.
/// Output:  [] float32, >= 0; 0 where both agree up to shift and positive scale.
/// Params:  temperature  > 0, default 2. The authors weigh the loss with 9.
/// Throws:  ShapeError at set-up if the logits differ in shape or have one class.
class Lskd final : public Strategy {
 public:
  struct Options {
    double temperature = 2;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
    if (setup.class_count == 2) setup.warn(kOrderIsLeft);
  }

  Tensor loss(const Step& step) override {
    const double t = options.temperature;
    const Tensor student = log_softmax(standardize(step.student.logits) / t, 1);  // [N, C]
    const Tensor teacher = log_softmax(standardize(step.teacher.logits) / t, 1);  // [N, C]
    return t * t * kl_divergence(teacher, student);
  }
};

}  // namespace

RETORT_STRATEGY(
    Lskd, "logits.lskd", "1.0.0", "Logit standardisation (Sun 2024)", needs(Logits),
    paper("Sun et al. 2024, arXiv:2403.01427"), verified("the authors' code"), licence("MIT"),
    option("temperature", &Lskd::Options::temperature).above(0).help("softens both distributions"))
