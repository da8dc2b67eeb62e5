#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Each channel's map as a unit vector: [N, C, H, W] -> [N, C, H W].
Tensor unit_channels(const Tensor& map) { return normalize(flatten(map, 2), 2, 2); }

/// Mean over samples and pairs of channels of (a . b)^2.
Tensor mean_kernel(const Tensor& a, const Tensor& b) {
  return mean(square(bmm(a, transpose(b, 1, 2))));  // of [N, Ca, Cb]
}

/// Gives the student's channels the teacher's distribution of where they fire: the squared maximum
/// mean discrepancy between both sets of channels, with a polynomial kernel.
///   F    = each channel of f over its pixels, divided by its norm;  k(a, b) = (a . b)^2
///   loss = mean k(F_t, F_t) + mean k(F_s, F_s) - 2 mean k(F_s, F_t), summed over the bound taps
///   the larger of two maps is averaged to the other's size
/// Source:  Huang and Wang 2017, arXiv:1707.01219, section 4, polynomial kernel with d = 2, c = 0.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features [N, Ct, Ht, Wt].
/// Output:  [] float32, >= 0; 0 where both have the same channels, in any order.
/// Throws:  ShapeError at set-up for taps that are no feature maps or are compared at one pixel.
class Nst final : public Strategy {
 public:
  struct Options {
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i)
      require_pixels(setup.student.features[i], setup.teacher.features[i]);
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < step.student.features.size(); ++i) {
      const MapPair maps = match_size(step.student.features[i], step.teacher.features[i]);
      const Tensor student = unit_channels(maps.student), teacher = unit_channels(maps.teacher);
      total += mean_kernel(teacher, teacher) + mean_kernel(student, student) -
               2 * mean_kernel(student, teacher);
    }
    return total;
  }
};

}  // namespace

RETORT_STRATEGY(Nst, "feature.nst", "1.0.0", "Neuron selectivity transfer (Huang 2017)",
                binds("stages"), paper("Huang and Wang 2017, arXiv:1707.01219"),
                verified("RepDistiller"), licence("MIT"))
