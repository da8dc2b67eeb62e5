#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Makes the samples of a batch correlate in the student as they do in the teacher, in a small
/// space that both are mapped to.
///   e         = linear(f), `dim` numbers a sample, one map each for student and teacher
///   pairs:    loss = mean_i sum_d(|e_s - e_t|_id |e_s - e_t|_(i+1)d), neighbours in the batch
///   bilinear: loss = sum((K_s - K_t)^2) / N^2,  K = e e^T
///   gaussian: the same with K = exp(-2 gamma) sum_{p=0..2} (2 gamma)^p / p! (e e^T)^p, element by
///             element: the Gaussian kernel of unit vectors to second order
/// summed over the bound taps.
/// Source:  Peng et al. 2019, arXiv:1904.01802, section 3, has the two kernels; "pairs" is the
///          comparison code of CRD, whose results are the ones usually cited.
/// Inputs:  student.features [N, ...] each, requires grad, flattened to [N, Ds]; teacher.features
///          flattened to [N, Dt]; N >= 2.
/// Output:  [] float32, >= 0.
/// Params:  dim     >= 1, default 128.
///          kernel  "pairs" (default), "bilinear" or "gaussian".
///          gamma   > 0, default 0.4; of the Gaussian kernel.
/// Differs: the paper gives the Gaussian kernel vectors of length 1; here, as in torchdistill, e is
///          taken as it comes. torchdistill divides the norm ||K_s - K_t|| of both kernels by N^2,
///          not its square: its weights do not carry over.
class Cc final : public Strategy {
 public:
  enum class Kernel { Pairs, Bilinear, Gaussian };
  struct Options {
    int64_t dim = 128;
    Kernel kernel = Kernel::Pairs;
    double gamma = 0.4;
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i) {
      students_.push_back(embed(setup.in(message("student", i)), setup.student.features[i]));
      teachers_.push_back(embed(setup.in(message("teacher", i)), setup.teacher.features[i]));
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < students_.size(); ++i) {
      const Tensor student = students_[i](flatten(step.student.features[i], 1));  // [N, dim]
      const Tensor teacher = teachers_[i](flatten(step.teacher.features[i], 1));  // [N, dim]
      total += options.kernel == Kernel::Pairs
                   ? neighbour_products(abs(student - teacher))
                   : mse_loss(correlations(student), correlations(teacher));
    }
    return total;
  }

 private:
  nn::Linear embed(const Builder& builder, const Shape& feature) const {
    return nn::Linear(builder, feature.numel() / feature[0], options.dim);
  }

  static Tensor neighbour_products(const Tensor& distances) {
    const int64_t pairs = distances.size(0) - 1;
    const Tensor products = narrow(distances, 0, 0, pairs) * narrow(distances, 0, 1, pairs);
    return sum(products) / static_cast<double>(pairs);
  }

  Tensor correlations(const Tensor& rows) const {
    const Tensor products = mm(rows, t(rows));  // [N, N]
    if (options.kernel == Kernel::Bilinear) return products;
    const Tensor scaled = 2 * options.gamma * products;
    return detail::exponential(-2 * options.gamma) * (1 + scaled + square(scaled) / 2);
  }

  std::vector<nn::Linear> students_, teachers_;
};

}  // namespace

RETORT_STRATEGY(
    Cc, "relational.cc", "1.0.0", "Correlation congruence (Peng 2019)", binds("pooled"), batch(2),
    paper("Peng et al. 2019, arXiv:1904.01802"), verified("RepDistiller"), licence("MIT"),
    option("dim", &Cc::Options::dim).at_least(1).help("size of the space that both are mapped to"),
    option("kernel", &Cc::Options::kernel)
        .one_of("pairs", "bilinear", "gaussian")
        .help("how samples are correlated"),
    option("gamma", &Cc::Options::gamma).above(0).help("of the Gaussian kernel"))
