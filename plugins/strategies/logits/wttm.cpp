#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Transformed teacher matching (logits.ttm), in which the samples count more that the teacher is
/// unsure of.
///   u    = sum_c p_t^gamma;  p~ = p_t^gamma / u
///   loss = mean_n u KL(p~ || softmax(z_s))
/// Source:  Zheng and Yang 2024, arXiv:2402.11148 (WTTM), and the authors' code.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C], -inf at a class that the
///          teacher excludes.
/// Output:  [] float32, >= 0.
/// Params:  gamma  > 0, default 0.2, the power; the authors tune it, and the weight, for each pair.
/// Throws:  ShapeError at set-up if the logits differ in shape or have one class.
class Wttm final : public Strategy {
 public:
  struct Options {
    double gamma = 0.2;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
  }

  Tensor loss(const Step& step) override {
    const Tensor log_power = options.gamma * log_softmax(step.teacher.logits, 1);
    const Tensor power = exp(log_power);                       // u p~
    const Tensor u = clamp_min(sum(power, {1}, true), 1e-30);  // [N, 1]; 0 for a huge gamma
    const Tensor apart = log_power - log(u) - log_softmax(step.student.logits, 1);
    return mean(sum(power * masked_fill(apart, is_excluded(step.teacher.logits), 0), 1));
  }
};

}  // namespace

RETORT_STRATEGY(Wttm, "logits.wttm", "1.0.0", "Weighted transformed teacher (Zheng 2024)",
                needs(Logits), paper("Zheng and Yang 2024, arXiv:2402.11148"),
                verified("the authors' code"), licence("MIT"),
                option("gamma", &Wttm::Options::gamma)
                    .above(0)
                    .help("power of the teacher's probabilities; below 1 softens them"))
