#include <retort/strategy.hpp>

using namespace retort;

namespace {

constexpr double kSlope = 0.1;  // of every leaky ReLU

nn::ConvOptions same_size() {
  nn::ConvOptions options;
  options.padding = 1;
  return options;
}

/// An autoencoder of feature maps; its code has fewer channels.
class Paraphraser {
 public:
  Paraphraser(const Builder& builder, int64_t channels, int64_t code_channels) {
    const int64_t widths[] = {channels, channels, code_channels, code_channels};
    for (size_t i = 0; i < 3; ++i) {
      encoder_.emplace_back(builder.in(message("encoder.", 2 * i)), widths[i], widths[i + 1], 3,
                            same_size());
      decoder_.emplace_back(builder.in(message("decoder.", 2 * i)), widths[3 - i], widths[2 - i], 3,
                            same_size());
    }
  }
  Tensor encode(Tensor x) const { return run(encoder_, x); }
  Tensor decode(Tensor x) const { return run(decoder_, x); }

 private:
  template <class Layer>
  static Tensor run(const std::vector<Layer>& layers, Tensor x) {
    for (const Layer& layer : layers) x = leaky_relu(layer(x), kSlope);
    return x;
  }

  std::vector<nn::Conv2d> encoder_;
  std::vector<nn::ConvTranspose2d> decoder_;
};

/// Channels over their pixels, scaled to length 1; one shorter than kMinLength counts as 0.
struct UnitChannels {
  explicit UnitChannels(const Tensor& map) {
    const Tensor rows = flatten(map, 2), length = norm(rows, 2, {2}, true);  // [N, C, 1]
    const Tensor none = length < kMinLength;
    units = rows / masked_fill(clamp_min(length, kMinLength), none, __builtin_inf());
    empty = squeeze(none, 2);
  }
  Tensor units;  // [N, C, H W]
  Tensor empty;  // [N, C]

 private:
  static constexpr double kMinLength = 1e-12;
};

/// mean_n sum_c ||s s^T - t t^T||_F / (H W) over the channels s, t, scaled to length 1. For unit
/// vectors the norm is ||s - t|| ||s + t|| / sqrt(2): no matrix of (H W)^2, and no cancellation.
/// Where one of the two is 0 it is the other's 1, without the root.
Tensor affinity_distance(const Tensor& student, const Tensor& teacher) {
  const UnitChannels s(student), t(teacher);
  const Tensor norms = norm(s.units - t.units, 2, {2}) * norm(s.units + t.units, 2, {2});  // [N, C]
  const Tensor roots = masked_fill(ones_like(norms), s.empty || t.empty, detail::root(2));
  const Shape shape = s.units.shape();
  return sum(norms * roots) / (detail::root(2) * static_cast<double>(shape[0] * shape[2]));
}

/// Makes the pixels of the student's feature map relate to each other, channel by channel, as those
/// of a compressed teacher's map do.
///   t    = encoder(f_t),  s = conv3x3(f_s), each channel scaled to length 1 over the pixels
///   loss = mean_n sum_c ||s_c s_c^T - t_c t_c^T||_F / (H W), summed over the bound taps
/// Source:  He et al. 2019 (CVPR), arXiv:1903.04688, as torchdistill has it; encoder: the
///          paraphraser of Kim et al. 2018, arXiv:1802.04977.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features [N, Ct, Ht, Wt].
///          The higher map is averaged down to the other.
/// Output:  [] float32, >= 0.
/// Params:  rate  in (0, 1], default 0.5: channels of the code per channel of the teacher's map.
/// Throws:  ShapeError at set-up for taps that are no feature maps or are compared at one pixel, and
///          ConfigError for a rate that leaves no channel.
/// Differs: the authors train the autoencoder first and freeze it. Here it learns beside the
///          student: its reconstruction error is added and its value taken off again, so that the
///          loss is the affinity term alone, the autoencoder gets the gradient of the error alone
///          (times the weight of the transfer), and the student that of the affinity term alone.
///          The authors also compare the maps themselves (adaptation): no part of this loss.
///          torchdistill's recipe has batch norm in each layer of the autoencoder, and adds 1e-7
///          times the L1 norm of its code to the reconstruction error: neither is here. A channel of
///          zeros makes its loss no number; here s s^T is 0 for it.
class Kta final : public Strategy {
 public:
  struct Options {
    double rate = 0.5;
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i) {
      const Shape& student = setup.student.features[i];
      const Shape& teacher = setup.teacher.features[i];
      require_pixels(student, teacher);
      const int64_t code = static_cast<int64_t>(static_cast<double>(teacher[1]) * options.rate);
      if (code == 0) {
        throw ConfigError(message("rate leaves no channel of the teacher's ", teacher[1],
                                  "; raise it to at least 1 / ", teacher[1]));
      }
      paraphrasers_.emplace_back(setup.in(message("paraphraser", i)), teacher[1], code);
      adapters_.emplace_back(setup.in(message("adapter", i)), student[1], code, 3, same_size());
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < adapters_.size(); ++i) {
      const Tensor& teacher = step.teacher.features[i];
      const Tensor code = paraphrasers_[i].encode(teacher);  // [N, k Ct, Ht, Wt]
      const Tensor error = mse_loss(paraphrasers_[i].decode(code), teacher);
      const MapPair maps = match_size(adapters_[i](step.student.features[i]), detach(code));
      total += affinity_distance(maps.student, maps.teacher) + (error - detach(error));
    }
    return total;
  }

 private:
  std::vector<Paraphraser> paraphrasers_;
  std::vector<nn::Conv2d> adapters_;
};

}  // namespace

RETORT_STRATEGY(Kta, "relational.kta", "1.0.0", "Affinity of pixels (He 2019)", binds("last_map"),
                paper("He et al. 2019, arXiv:1903.04688"),
                verified("torchdistill's formula, typed anew"), licence("MIT"),
                option("rate", &Kta::Options::rate)
                    .above(0)
                    .at_most(1)
                    .help("channels of the code per channel of the teacher's map"))
