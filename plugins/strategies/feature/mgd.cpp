#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Makes the student generate the teacher's whole feature map from its own with a part masked out.
///   m    = align(f_s), zeroed where the draw "mask" says (of further taps: "mask1", "mask2")
///   loss = sum((conv3x3(relu(conv3x3(m))) - f_t)^2) / N, summed over the bound taps
/// Source:  Yang et al. 2022, arXiv:2205.01529, section 3.1.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features [N, Ct, Ht, Wt].
/// Output:  [] float32, >= 0; a sum over a sample, so the published weights are 2e-5 and 7e-5.
/// Params:  lambda  in [0, 1), default 0.65: the part that is masked out.
///          mask    "positions" (default): one draw in [0, 1) for each pixel, shared by the
///                  channels; zero where it is > 1 - lambda, as the authors' detection code does.
///                  "channels": one draw for each channel, shared by the pixels; zero where it is
///                  < lambda, as their classification code does.
/// Throws:  ShapeError at set-up for a tap that is no feature map.
/// Differs: the authors refuse maps of different sizes; here the higher one is averaged down.
class Mgd final : public Strategy {
 public:
  enum class Mask { Positions, Channels };
  struct Options {
    double lambda = 0.65;
    Mask mask = Mask::Positions;
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i) {
      pairs_.emplace_back(setup, i);
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < pairs_.size(); ++i) {
      const MapPair maps = match_size(step.student.features[i], step.teacher.features[i]);
      const Tensor aligned = pairs_[i].align(maps.student);  // [N, Ct, H, W]
      const Tensor generated = pairs_[i].generate(masked(aligned, step, i));
      const double n = static_cast<double>(aligned.size(0));
      total += mse_loss(generated, maps.teacher, Reduction::Sum) / n + zero_if_finite(aligned);
    }
    return total;
  }

 private:
  /// The modules of one pair of taps.
  struct Pair {
    Pair(const Setup& setup, size_t i)
        : align(setup.in(message("align", i)), setup.student.features[i],
                setup.teacher.features[i]) {
      const Builder generation = setup.in(message("generation", i));
      const int64_t channels = setup.teacher.features[i][1];
      nn::ConvOptions padded;
      padded.padding = 1;
      first = nn::Conv2d(generation.in("0"), channels, channels, 3, padded);
      second = nn::Conv2d(generation.in("2"), channels, channels, 3, padded);
    }
    Tensor generate(const Tensor& x) const { return second(relu(first(x))); }

    ChannelAlign align;
    nn::Conv2d first, second;
  };

  Tensor masked(const Tensor& map, const Step& step, size_t tap) const {
    const Shape shape = map.shape();
    const std::string name = tap == 0 ? "mask" : message("mask", tap);
    if (options.mask == Mask::Channels) {
      const Tensor draw = step.uniform(name.c_str(), {shape[0], shape[1], 1, 1});
      return masked_fill(map, draw < options.lambda, 0);
    }
    const Tensor draw = step.uniform(name.c_str(), {shape[0], 1, shape[2], shape[3]});
    return masked_fill(map, draw > 1 - options.lambda, 0);
  }

  std::vector<Pair> pairs_;
};

}  // namespace

RETORT_STRATEGY(Mgd, "feature.mgd", "1.0.0", "Masked generative distillation (Yang 2022)",
                binds("last_map"), paper("Yang et al. 2022, arXiv:2205.01529"),
                verified("the authors' code"), licence("MIT"),
                option("lambda", &Mgd::Options::lambda)
                    .at_least(0)
                    .below(1)
                    .help("the part of the map that is masked out"),
                option("mask", &Mgd::Options::mask)
                    .one_of("positions", "channels")
                    .help("what is masked out as a whole"))
