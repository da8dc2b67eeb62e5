#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// The cosines between the logits of the samples of a batch: [N, N].
Tensor cosines(const Tensor& logits) {
  const Tensor rows = normalize(logits);
  return mm(rows, t(rows));
}

/// The mean length of the rows of d, [N, N], in the metric of their own spread.
///   mean_i sqrt(d_i^T (cov + tikhonov I)^-1 d_i), cov the covariance of the columns of d
/// As L^-1 d_i with L L^T = cov + tikhonov I, which is definite for any d: a length's gradient is
/// bounded where the length is 0.
Tensor mahalanobis(const Tensor& d, double tikhonov) {
  static const Operator cholesky("aten::linalg_cholesky_ex"),
      solve_triangular("aten::linalg_solve_triangular");
  const Tensor spread = cov(t(d)) + tikhonov * eye(d.size(0));
  const Tensor factor = cholesky.many({spread, false, false}, 2)[0];
  return mean(norm(solve_triangular(factor, t(d), false), 2, 0));
}

/// The share of numbers that are no larger than their median, the mean of the middle two: [].
Tensor lower_share(const Tensor& numbers) {
  static const Operator quantile("aten::quantile", "scalar");
  return mean(ones_like(numbers) * (numbers <= quantile(numbers, 0.5)));
}

/// Teaches each sample's distribution (instance) or how the logits of the batch's samples point
/// relative to each other (direction); the method is the sum of both.
///   instance:   loss = KL(softmax(z_t / t) || softmax(z_s / t)), mean over the batch: no t^2
///   direction:  G = cosines between the rows of z;  D = G_s - G_t;  S = covariance of D's columns
///               loss = mean_i sqrt(D_i^T (S + tikhonov I)^-1 D_i)
/// Source:  Jeong et al. 2026 (CVPR, Streamlined Knowledge Distillation), eq. 1 to 8.
/// Inputs:  student.logits [N, C], requires grad; teacher.logits [N, C]; N >= 2. In mode instance
///          the teacher's are -inf at a class that it excludes; mode direction compares the logits
///          themselves, and -inf makes it NaN.
/// Output:  [] float32, >= 0; 0 where both agree.
/// Params:  mode         direction (default) or instance.
///          form         paper (default) or released.
///          temperature  > 0, default 4, of mode instance.
///          tikhonov     > 0, default 0.1, of mode direction.
/// Throws:  ShapeError at set-up if the logits differ in shape or have one class.
/// Differs: released is the authors' code: instance takes t^2, and the share of samples whose
///          highest probability is at most the teacher's median; direction divides G by C, and
///          takes the share of classes whose summed probability is at most the median. Their masks
///          multiply a mean, so they choose nothing: each is a factor of about 0.5.
class Skd final : public Strategy {
 public:
  enum class Mode { Direction, Instance };
  enum class Form { Paper, Released };
  struct Options {
    Mode mode = Mode::Direction;
    Form form = Form::Paper;
    double temperature = 4;
    double tikhonov = 0.1;
  } options;

  void setup(Setup& setup) override {
    require_same_classes(setup.student.logits, setup.teacher.logits);
  }

  Tensor loss(const Step& step) override {
    const Tensor &student = step.student.logits, &teacher = step.teacher.logits;
    return options.mode == Mode::Instance ? instance(student, teacher)
                                          : direction(student, teacher);
  }

 private:
  Tensor instance(const Tensor& student, const Tensor& teacher) const {
    const double t = options.temperature;
    const Tensor loss = kl_divergence(log_softmax(teacher / t, 1), log_softmax(student / t, 1));
    if (options.form == Form::Paper) return loss;
    return t * t * loss * lower_share(amax(softmax(teacher, 1), 1));
  }

  Tensor direction(const Tensor& student, const Tensor& teacher) const {
    const Tensor difference = cosines(student) - cosines(teacher);  // [N, N]
    if (options.form == Form::Paper) return mahalanobis(difference, options.tikhonov);
    const auto classes = static_cast<double>(student.size(1));
    return mahalanobis(difference / classes, options.tikhonov) *
           lower_share(sum(softmax(teacher, 1), 0));
  }
};

}  // namespace

RETORT_STRATEGY(
    Skd, "logits.skd", "1.0.0", "Streamlined distillation (Jeong 2026)", needs(Logits), batch(2),
    syncs(), uses("aten::linalg_cholesky_ex"), uses("aten::linalg_solve_triangular"),
    uses("aten::quantile", "scalar"), paper("Jeong et al. 2026, CVPR"),
    verified("the authors' code, torchdistill"), licence("MIT"),
    option("mode", &Skd::Options::mode).one_of("direction", "instance").help("which term"),
    option("form", &Skd::Options::form)
        .one_of("paper", "released")
        .help("the paper's formula, or the authors' code"),
    option("temperature", &Skd::Options::temperature)
        .above(0)
        .help("softens both distributions of mode instance"),
    option("tikhonov", &Skd::Options::tikhonov)
        .above(0)
        .help("added to the diagonal of the covariance of mode direction"))
