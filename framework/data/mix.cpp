#include "framework/data/mix.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "framework/base/random.hpp"

namespace retort::host {
namespace {

/// Numbers in a row from one stream, where how many are needed is not known before. The standard
/// library's distributions differ from library to library.
class Sequence {
 public:
  Sequence(uint64_t key, uint64_t stream) : random_(key), stream_(stream) {}

  /// In (0, 1), with 53 bits.
  double uniform() {
    const auto words = random_.block(counter_++, stream_);
    const uint64_t bits = (uint64_t{words[0]} << 32 | words[1]) >> 11;
    return (static_cast<double>(bits) + 0.5) * 0x1.0p-53;
  }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  Philox random_;
  uint64_t stream_;
  uint64_t counter_ = 0;
};

/// The logarithm of a Gamma(shape, 1) number: for a small shape the number itself underflows.
/// Source:  Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; shapes
///          below 1 by Gamma(shape) = Gamma(shape + 1) U^(1 / shape).
double log_gamma(Sequence& random, double shape) {
  if (shape < 1) {
    const double power = std::log(random.uniform()) / shape;
    return log_gamma(random, shape + 1) + power;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal();
    const double v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return std::log(d * v);
    }
  }
}

double beta(Sequence& random, double alpha) {
  const double first = log_gamma(random, alpha);
  return 1 / (1 + std::exp(log_gamma(random, alpha) - first));
}

/// A box around a uniform centre, each side `ratio` of the image's, cut off at the border.
Box draw_box(Sequence& random, double ratio, int64_t height, int64_t width) {
  const auto interval = [&](int64_t side, int64_t& begin, int64_t& length) {
    const auto half = static_cast<int64_t>(0.5 * ratio * static_cast<double>(side));
    const auto centre = static_cast<int64_t>(random.uniform() * static_cast<double>(side));
    begin = std::max<int64_t>(centre - half, 0);
    length = std::min(centre + half, side) - begin;
  };
  Box box;
  interval(height, box.top, box.height);
  interval(width, box.left, box.width);
  return box;
}

void blend(float* image, const float* neighbour, int64_t size, double lambda) {
  const auto own = static_cast<float>(lambda), other = static_cast<float>(1 - lambda);
  for (int64_t i = 0; i < size; ++i) image[i] = own * image[i] + other * neighbour[i];
}

/// Copies the box from the neighbour; `stride` of [N, C, H, W].
void paste(float* image, const float* neighbour, const Box& box, int64_t channels,
           at::IntArrayRef stride) {
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t y = box.top; y < box.top + box.height; ++y) {
      for (int64_t x = box.left; x < box.left + box.width; ++x) {
        const int64_t at = c * stride[1] + y * stride[2] + x * stride[3];
        image[at] = neighbour[at];
      }
    }
  }
}

}  // namespace

Mix draw_mix(const MixConfig& config, uint64_t seed, int64_t epoch, int64_t batch, int64_t height,
             int64_t width) {
  Mix mix;
  if (config.mixup <= 0 && config.cutmix <= 0) return mix;
  Sequence random(combine_key(seed, "mix", static_cast<uint64_t>(epoch)),
                  static_cast<uint64_t>(batch));
  const bool heads = random.uniform() < 0.5;
  mix.kind =
      config.cutmix <= 0 || (config.mixup > 0 && heads) ? Mix::Kind::Mixup : Mix::Kind::Cutmix;
  if (mix.kind == Mix::Kind::Mixup) {
    const double lambda = beta(random, config.mixup);
    mix.lambda = std::max(lambda, 1 - lambda);
  } else {
    mix.box = draw_box(random, std::sqrt(1 - beta(random, config.cutmix)), height, width);
    mix.lambda = 1 - static_cast<double>(mix.box.area()) / static_cast<double>(height * width);
  }
  return mix;
}

void mix_images(const Mix& mix, const at::Tensor& images, int64_t times) {
  if (mix.kind == Mix::Kind::None || images.size(0) == 0) return;
  const int64_t count = images.size(0), size = images.numel() / count;
  float* first = images.data_ptr<float>();
  const std::vector<float> last(first + (count - times) * size, first + count * size);
  // From the end, so that each neighbour is still as it was.
  for (int64_t i = count - 1; i >= 0; --i) {
    float* image = first + i * size;
    const float* neighbour = i >= times ? image - times * size : last.data() + i * size;
    if (mix.kind == Mix::Kind::Mixup) {
      blend(image, neighbour, size, mix.lambda);
    } else {
      paste(image, neighbour, mix.box, images.size(1), images.strides());
    }
  }
}

}  // namespace retort::host
