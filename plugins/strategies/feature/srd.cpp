#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Batch normalisation without a scale, a shift or a memory: [N, D].
Tensor standardize_batch(const Tensor& x) { return batch_norm(x, {}, {}, {}, {}, true, 0.1, 1e-4); }

/// Makes a linear map of the student's feature vector and the teacher's equal after batch
/// normalisation, under the logarithm of a sum of powers, and the class probabilities too.
///   s    = norm(linear(f_s)),  t = norm(f_t)
///   loss = 2 log(sum |s - t|^power), summed over the bound taps
///           + KL(softmax(z_t) || softmax(z_s)), mean over the batch
/// Source:  Miles and Mikolajczyk 2024, arXiv:2303.11098, section 3; constants as their code.
/// Inputs:  student.features [N, ...] each, requires grad, flattened to [N, Ds]; teacher.features
///          flattened to [N, Dt]; student.logits [N, C], requires grad; teacher.logits [N, C], -inf
///          at a class that the teacher excludes; N >= 2.
/// Output:  [] float32, unbounded below.
/// Params:  power  >= 1, default 4.
///          norm   "batch" (default): norm(x) has mean 0 and variance 1 over the batch, eps 1e-4.
///                 "none": norm(x) = x.
/// Differs: the sum is kept above 1e-30, where the gradient is 0, so that equal features do not
///          give the logarithm of 0.
class Srd final : public Strategy {
 public:
  enum class Norm { Batch, None };
  struct Options {
    double power = 4;
    Norm norm = Norm::Batch;
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i) {
      const Shape& from = setup.student.features[i];
      const Shape& to = setup.teacher.features[i];
      embeds_.emplace_back(setup.in(message("embed", i)), from.numel() / from[0],
                           to.numel() / to[0]);
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total =
        kl_divergence(log_softmax(step.teacher.logits, -1), log_softmax(step.student.logits, -1));
    for (size_t i = 0; i < embeds_.size(); ++i) {
      const Tensor student = normed(embeds_[i](flatten(step.student.features[i], 1)));  // [N, Dt]
      const Tensor teacher = normed(flatten(step.teacher.features[i], 1));              // [N, Dt]
      const Tensor powers = sum(pow(abs(student - teacher), options.power));
      total += 2 * log(clamp_min(powers, 1e-30));
    }
    return total;
  }

 private:
  Tensor normed(const Tensor& x) const {
    return options.norm == Norm::Batch ? standardize_batch(x) : x;
  }

  std::vector<nn::Linear> embeds_;
};

}  // namespace

RETORT_STRATEGY(
    Srd, "feature.srd", "1.0.0", "Normalised projection under a log-sum (Miles 2024)",
    needs(Logits), binds("pooled"), batch(2), paper("Miles and Mikolajczyk 2024, arXiv:2303.11098"),
    verified("the authors' code"), licence("MIT"),
    option("power", &Srd::Options::power).at_least(1).help("of the feature distances"),
    option("norm", &Srd::Options::norm).one_of("batch", "none").help("of both features"))
