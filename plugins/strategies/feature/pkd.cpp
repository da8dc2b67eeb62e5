#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Each channel with mean 0 and standard deviation 1 over the batch and the pixels.
Tensor standardize_channels(const Tensor& map) {
  const Tensor centred = map - mean(map, {0, 2, 3}, true);
  return centred / (retort::std(map, {0, 2, 3}, 1, true) + 1e-6);
}

/// Makes each channel of the student's feature map correlate with the teacher's channel.
///   n(f) = (f - mean(f)) / (std(f) + 1e-6) of a channel over batch and pixels, std with count - 1
///   loss = mean((n(f_s) - n(f_t))^2) / 2, summed over the bound taps
/// Source:  Cao et al. 2022, arXiv:2207.02039, section 3.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features [N, Ct, Ht, Wt].
///          Where the channels differ, a trained 1x1 convolution maps the student's; where the
///          sizes differ, the student's map is resized bilinearly.
/// Output:  [] float32, >= 0; about 1 - the mean correlation of the channels.
/// Throws:  ShapeError at set-up for a tap that is no feature map, or one of a single pixel.
class Pkd final : public Strategy {
 public:
  struct Options {
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i) {
      const Shape& teacher = setup.teacher.features[i];
      aligns_.emplace_back(setup.in(message("align", i)), setup.student.features[i], teacher);
      if (teacher[2] * teacher[3] == 1) {
        throw ShapeError(message("the teacher's feature map ", teacher.text(),
                                 " has a single pixel, so the channels of one sample have no "
                                 "standard deviation; bind a tap before the pooling"));
      }
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < aligns_.size(); ++i) {
      const Tensor& teacher = step.teacher.features[i];
      const Tensor student = resized(aligns_[i](step.student.features[i]), teacher.shape());
      total += mse_loss(standardize_channels(student), standardize_channels(teacher)) / 2;
    }
    return total;
  }

 private:
  static Tensor resized(const Tensor& map, const Shape& like) {
    const Shape shape = map.shape();
    if (shape[2] == like[2] && shape[3] == like[3]) return map;
    return upsample_bilinear2d(map, {like[2], like[3]});
  }

  std::vector<ChannelAlign> aligns_;
};

}  // namespace

RETORT_STRATEGY(Pkd, "feature.pkd", "1.0.0", "Pearson correlation of feature maps (Cao 2022)",
                binds("stages"), paper("Cao et al. 2022, arXiv:2207.02039"), verified("mmrazor"),
                licence("MIT"))
