#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Pulls the student's softened class probabilities towards the teacher's.
///   loss = t^2 KL(softmax(z_t / t) || softmax(z_s / t)), mean over the batch
/// Source:  Hinton et al. 2015, arXiv:1503.02531, section 2.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C].
/// Output:  [] float32, >= 0; 0 where both agree.
/// Params:  temperature  > 0, default 4.
/// Throws:  ShapeError if the logits differ in shape.
class Kd final : public Strategy {
 public:
  struct Options {
    double temperature = 4;
  } options;

  Tensor loss(const Step& step) override {
    const double t = options.temperature;
    const Tensor student = log_softmax(step.student.logits / t, -1);  // [N, C]
    const Tensor teacher = log_softmax(step.teacher.logits / t, -1);  // [N, C]
    return t * t * kl_divergence(teacher, student);
  }
};

}  // namespace

RETORT_STRATEGY(
    Kd, "logits.kd", "1.0.0", "Soft targets (Hinton 2015)", needs(Logits),
    paper("Hinton et al. 2015, arXiv:1503.02531"), verified("RepDistiller, mdistiller"),
    licence("MIT"),
    option("temperature", &Kd::Options::temperature).above(0).help("softens both distributions"))
