#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Pulls the student's class probabilities, as they are, towards the teacher's softened ones.
///   p~   = p_t^gamma / sum_c p_t^gamma, which is softmax(gamma z_t)
///   loss = KL(p~ || softmax(z_s)), mean over the batch
/// Source:  Zheng and Yang 2024, arXiv:2402.11148 (TTM), and the authors' code.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C], -inf at a class that the
///          teacher excludes.
/// Output:  [] float32, >= 0.
/// Params:  gamma  > 0, default 0.1, the power; 1 / gamma is a temperature of the teacher alone.
/// Throws:  ShapeError at set-up if the logits differ in shape or have one class.
class Ttm final : public Strategy {
 public:
  struct Options {
    double gamma = 0.1;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
  }

  Tensor loss(const Step& step) override {
    const Tensor transformed = log_softmax(options.gamma * step.teacher.logits, 1);  // [N, C]
    return kl_divergence(transformed, log_softmax(step.student.logits, 1));
  }
};

}  // namespace

RETORT_STRATEGY(Ttm, "logits.ttm", "1.0.0", "Transformed teacher matching (Zheng 2024)",
                needs(Logits), paper("Zheng and Yang 2024, arXiv:2402.11148"),
                verified("the authors' code"), licence("MIT"),
                option("gamma", &Ttm::Options::gamma)
                    .above(0)
                    .help("power of the teacher's probabilities; below 1 softens them"))
