#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Makes the student look where the teacher looks: the energy of a map at each pixel, over all
/// channels, is compared.
///   released: Q(f) = flatten(mean_c f^power) / norm,   loss = mean((Q(f_s) - Q(f_t))^2)
///   paper:    Q(f) = flatten(sum_c |f|^power) / norm,  loss = mean_n ||Q(f_s) - Q(f_t)||
///   summed over the bound taps; the larger of two maps is averaged to the other's size
/// Source:  Zagoruyko and Komodakis 2017, arXiv:1612.03928, eq. 2; released as the CRD authors have
///          it, paper as torchdistill's mode of that name.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features [N, Ct, Ht, Wt].
/// Output:  [] float32, >= 0; 0 where both agree.
/// Params:  mode   released or paper, default released.
///          power  >= 1, default 2; an odd one keeps the signs in mode released.
/// Throws:  ShapeError at set-up for taps that are no feature maps or are compared at one pixel.
/// Differs: released squares the distance and averages it over the pixels, so it is many times
///          smaller than the paper's norm: its usual weight is 1000.
class At final : public Strategy {
 public:
  enum class Mode { Released, Paper };
  struct Options {
    Mode mode = Mode::Released;
    int64_t power = 2;
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i)
      require_pixels(setup.student.features[i], setup.teacher.features[i]);
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < step.student.features.size(); ++i) {
      const MapPair maps = match_size(step.student.features[i], step.teacher.features[i]);
      const Tensor student = attention(maps.student), teacher = attention(maps.teacher);
      total += options.mode == Mode::Released ? mse_loss(student, teacher)
                                              : mean(norm(student - teacher, 2, 1));
    }
    return total;
  }

 private:
  /// [N, C, H, W] -> [N, H W]
  Tensor attention(const Tensor& map) const {
    const auto power = static_cast<double>(options.power);
    const bool released = options.mode == Mode::Released;
    const Tensor powers = pow(released || options.power % 2 == 0 ? map : abs(map), power);
    const Tensor energy = released ? mean(powers, 1) : sum(powers, 1);
    return normalize(flatten(energy, 1));
  }
};

}  // namespace

RETORT_STRATEGY(At, "feature.at", "1.0.0", "Attention transfer (Zagoruyko 2017)", binds("stages"),
                paper("Zagoruyko and Komodakis 2017, arXiv:1612.03928"),
                verified("RepDistiller, torchdistill"), licence("MIT"),
                option("mode", &At::Options::mode)
                    .one_of("released", "paper")
                    .help("the authors' released loss, or the paper's norm"),
                option("power", &At::Options::power).at_least(1).help("of the activations"))
