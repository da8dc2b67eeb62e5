#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// How similar the samples are: products of their features, rows of (Euclidean) length 1. [N, N]
Tensor similarities(const Tensor& map) {
  const Tensor rows = flatten(map, 1);  // [N, C H W]
  return normalize(mm(rows, t(rows)), 2, 1);
}

/// Makes two samples as similar in the student as they are in the teacher.
///   G    = rows of F F^T with length 1
///   loss = sum((G_t - G_s)^2) / N^2, summed over the bound taps
/// Source:  Tung and Mori 2019, arXiv:1907.09682, section 3.
/// Inputs:  student.features [N, ...] each, requires grad, flattened to [N, D]; teacher.features
///          the same with a D of its own; N >= 2.
/// Output:  [] float32, >= 0; the published weight is 3000.
class Sp final : public Strategy {
 public:
  struct Options {
  } options;

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < step.student.features.size(); ++i) {
      total +=
          mse_loss(similarities(step.student.features[i]), similarities(step.teacher.features[i]));
    }
    return total;
  }
};

}  // namespace

RETORT_STRATEGY(Sp, "relational.sp", "1.0.0", "Similarity-preserving distillation (Tung 2019)",
                binds("last_map"), batch(2), paper("Tung and Mori 2019, arXiv:1907.09682"),
                verified("RepDistiller"), licence("MIT"))
