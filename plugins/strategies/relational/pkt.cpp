#include <retort/strategy.hpp>

using namespace retort;

namespace {

constexpr double kEps = 1e-7;

/// The probability that row i has row j as its neighbour: [N, N], rows sum to 1.
Tensor neighbours(const Tensor& rows) {
  const Tensor units = rows / (norm(rows, 2, {1}, true) + kEps);  // [N, D]
  const Tensor similar = (mm(units, t(units)) + 1) / 2;           // [N, N], in [0, 1]
  return similar / sum(similar, {1}, true);
}

/// Gives each of the student's samples the neighbours that it has in the teacher.
///   K    = rows of (cos(x_i, x_j) + 1) / 2 divided by their sum
///   loss = mean_ij(K_t log((K_t + 1e-7) / (K_s + 1e-7))), summed over the bound taps
/// Source:  Passalis and Tefas 2018, arXiv:1803.10837, section 3; constants as their code.
/// Inputs:  student.features [N, ...] each, requires grad, flattened to [N, D]; teacher.features
///          the same with a D of its own; N >= 2.
/// Output:  [] float32; a mean over N^2, so the published weight is 30000.
class Pkt final : public Strategy {
 public:
  struct Options {
  } options;

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < step.student.features.size(); ++i) {
      const Tensor student = neighbours(flatten(step.student.features[i], 1));
      const Tensor teacher = neighbours(flatten(step.teacher.features[i], 1));
      total += mean(teacher * log((teacher + kEps) / (student + kEps)));
    }
    return total;
  }
};

}  // namespace

RETORT_STRATEGY(Pkt, "relational.pkt", "1.0.0", "Probabilistic knowledge transfer (Passalis 2018)",
                binds("pooled"), batch(2), paper("Passalis and Tefas 2018, arXiv:1803.10837"),
                verified("RepDistiller"), licence("MIT"))
