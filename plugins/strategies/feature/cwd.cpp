#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Makes each channel of the student's feature map look where the teacher's channel looks.
///   p    = softmax(f / t) over the pixels of a channel
///   loss = t^2 / (C N) sum_nc KL(p_t || p_s), summed over the bound taps
/// Source:  Shu et al. 2021, arXiv:2011.13256, section 3.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features [N, Ct, Ht, Wt].
///          Where the channels differ, a trained 1x1 convolution maps the student's.
/// Output:  [] float32, >= 0; 0 where both agree up to a shift of each channel.
/// Params:  temperature  > 0, default 1.
/// Throws:  ShapeError at set-up for taps that are no feature maps or are compared at one pixel.
/// Differs: the authors refuse maps of different sizes; here the higher one is averaged down.
class Cwd final : public Strategy {
 public:
  struct Options {
    double temperature = 1;
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i) {
      require_pixels(setup.student.features[i], setup.teacher.features[i]);
      aligns_.emplace_back(setup.in(message("align", i)), setup.student.features[i],
                           setup.teacher.features[i]);
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < aligns_.size(); ++i) {
      const MapPair maps = match_size(step.student.features[i], step.teacher.features[i]);
      const Tensor teacher = attention(maps.teacher);  // [N C, H W]
      // Not kl_divergence: a teacher's pixel of -inf is a fault, no place that it excludes.
      total += kl_div(attention(aligns_[i](maps.student)), teacher, Reduction::Sum, true) /
               static_cast<double>(teacher.size(0));
    }
    return options.temperature * options.temperature * total;
  }

 private:
  /// The logarithm of where a channel looks: [N C, H W].
  Tensor attention(const Tensor& map) const {
    return log_softmax(flatten(flatten(map, 2), 0, 1) / options.temperature, 1);
  }

  std::vector<ChannelAlign> aligns_;
};

}  // namespace

RETORT_STRATEGY(Cwd, "feature.cwd", "1.0.0", "Channel-wise distillation (Shu 2021)",
                binds("last_map"), paper("Shu et al. 2021, arXiv:2011.13256"), verified("mmrazor"),
                licence("MIT"),
                option("temperature", &Cwd::Options::temperature)
                    .above(0)
                    .help("softens where a channel looks"))
