#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Soft targets that count less for the samples which the student fits better than the teacher.
///   w[n] = 1 - exp(-max(0, CE(z_s, y) / (CE(z_t, y) + 1e-7))), without gradient
///   loss = t^2 mean_n w[n] (-sum_c p_t log p_s), p = softmax(z / t)
/// Source:  Zhou et al. 2021, arXiv:2102.00650, and the authors' code.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C], -inf at a class that the
///          teacher excludes; labels [N].
/// Output:  [] float32, >= 0: a cross-entropy, not 0 where both agree.
/// Params:  temperature  > 0, default 2 as for ImageNet, where the authors weigh the loss with 2.5;
///                       for CIFAR they take 4, and the weight 2.25.
/// Throws:  ShapeError at set-up if the logits differ in shape or have one class.
class Wsl final : public Strategy {
 public:
  struct Options {
    double temperature = 2;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
  }

  Tensor loss(const Step& step) override {
    const double t = options.temperature;
    const Tensor targets = softmax(step.teacher.logits / t, 1);   // [N, C]
    const Tensor logs = log_softmax(step.student.logits / t, 1);  // [N, C]
    const Tensor soft = targets * masked_fill(logs, is_excluded(step.teacher.logits), 0);
    const Tensor ratio = misfit(step.student.logits, step.labels) /
                         (misfit(step.teacher.logits, step.labels) + 1e-7);  // [N]
    const Tensor weights = detach(-expm1(-relu(ratio)));                     // [N]
    return -t * t * mean(weights * sum(soft, 1));
  }

 private:
  static Tensor misfit(const Tensor& logits, const Tensor& labels) {
    return cross_entropy(logits, labels, 0, Reduction::None);
  }
};

}  // namespace

RETORT_STRATEGY(
    Wsl, "logits.wsl", "1.0.0", "Weighted soft labels (Zhou 2021)", needs(Logits, Labels),
    paper("Zhou et al. 2021, arXiv:2102.00650"), verified("mmrazor"), licence("MIT"),
    option("temperature", &Wsl::Options::temperature).above(0).help("softens both distributions"))
