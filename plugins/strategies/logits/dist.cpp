#include <retort/strategy.hpp>

using namespace retort;

namespace {

Tensor centred(const Tensor& x) { return x - mean(x, 1, true); }

/// 1 - the mean correlation of corresponding rows of two matrices [R, K].
Tensor relation(const Tensor& student, const Tensor& teacher) {
  const Tensor a = centred(student), b = centred(teacher);
  return 1 - mean(sum(a * b, 1) / (norm(a, 2, 1) * norm(b, 2, 1) + 1e-8));
}

/// Keeps how the teacher ranks the classes of a sample (inter), and the samples within a class
/// (intra), instead of its exact probabilities.
///   y     = softmax(z / t);  rho(a, b) = Pearson's correlation, with 1e-8 added to its denominator
///   inter = 1 - mean_n rho(y_s[n, :], y_t[n, :]);  intra = 1 - mean_c rho(y_s[:, c], y_t[:, c])
///   loss  = t^2 (beta inter + gamma intra)
/// Source:  Huang et al. 2022, arXiv:2205.10536, and the authors' code.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C], -inf at a class that the
///          teacher excludes; N >= 2.
/// Output:  [] float32, from about 0 to 2 t^2 (beta + gamma). Where both agree the 1e-8 leaves a
///          little: at high temperatures the probabilities hardly vary.
/// Params:  beta         >= 0, default 1, weight of inter.
///          gamma        >= 0, default 1, weight of intra.
///          temperature  > 0, default 1 as for ImageNet; the authors take 4 for CIFAR-100.
/// Throws:  ShapeError at set-up if the logits differ in shape or have one class; ConfigError if no
///          term is left.
class Dist final : public Strategy {
 public:
  struct Options {
    double beta = 1;
    double gamma = 1;
    double temperature = 1;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
    if (options.beta == 0 && options.gamma == 0)
      throw ConfigError("beta = 0 and gamma = 0 leave no loss; set one of them above 0");
    if (setup.class_count == 2 && options.beta > 0)
      setup.warn("two classes correlate by 1 or -1: inter has no gradient, and beta does nothing");
    if (setup.batch_size == 2 && options.gamma > 0)
      setup.warn("two samples correlate by 1 or -1: intra has no gradient, and gamma does nothing");
  }

  Tensor loss(const Step& step) override {
    const double t = options.temperature;
    const Tensor student = softmax(step.student.logits / t, 1);  // [N, C]
    const Tensor teacher = softmax(step.teacher.logits / t, 1);  // [N, C]
    return t * t * options.beta * relation(student, teacher) +
           t * t * options.gamma * relation(transpose(student, 0, 1), transpose(teacher, 0, 1));
  }
};

}  // namespace

RETORT_STRATEGY(
    Dist, "logits.dist", "1.0.0", "Correlations of predictions (Huang 2022)", needs(Logits),
    batch(2), paper("Huang et al. 2022, arXiv:2205.10536"), verified("the authors' code"),
    licence("MIT"),
    option("beta", &Dist::Options::beta).at_least(0).help("weight of the relation of classes"),
    option("gamma", &Dist::Options::gamma).at_least(0).help("weight of the relation of samples"),
    option("temperature", &Dist::Options::temperature).above(0).help("softens both distributions"))
