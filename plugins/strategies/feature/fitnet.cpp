#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Makes the student's feature maps, through a trained regressor, equal to the teacher's.
///   loss = sum over the bound taps of mean((regressor(f_s) - f_t)^2)
/// Source:  Romero et al. 2015, arXiv:1412.6550, eq. 3.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features [N, Ct, Ht, Wt].
/// Output:  [] float32, >= 0.
/// Throws:  ShapeError at set-up where no regressor fits a pair of taps (see nn::ConvRegressor), and
///          for one number a channel.
/// Differs: the paper trains the regressor alone first, with half the squared norm; here it trains
///          with the student, on the mean over all elements, as later comparisons do.
class FitNet final : public Strategy {
 public:
  struct Options {
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i) {
      regressors_.emplace_back(setup.in(message("regressor", i)), setup.student.features[i],
                               setup.teacher.features[i]);
      require_variance(setup.teacher.features[i]);
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < regressors_.size(); ++i) {
      const Tensor mapped = regressors_[i](step.student.features[i]);  // [N, Ct, Ht, Wt]
      total += mse_loss(mapped, step.teacher.features[i]);
    }
    return total;
  }

 private:
  std::vector<nn::ConvRegressor> regressors_;
};

}  // namespace

RETORT_STRATEGY(FitNet, "feature.fitnet", "1.0.0", "Hints on feature maps (Romero 2015)",
                binds("layer2"), paper("Romero et al. 2015, arXiv:1412.6550"),
                verified("RepDistiller"), licence("MIT"))
