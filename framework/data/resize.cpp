#include "framework/data/resize.hpp"

#include <algorithm>
#include <cmath>

namespace retort::host {
namespace {

// A weight of 1 in fixed point: a byte times it, and the sum of such products, fit into 31 bits.
constexpr int kWeightBits = 22;
constexpr int32_t kHalf = 1 << (kWeightBits - 1);

/// Sums are not negative; that of very many weights may be above 1 by their rounding.
uint8_t round_sum(int32_t sum) {
  return static_cast<uint8_t>(std::min(sum >> kWeightBits, int32_t{255}));
}

}  // namespace

/// A triangle as wide as two positions of the coarser line, around each new position's centre; what
/// lies beyond the ends is left out. In double, and cut to whole numbers where Pillow cuts.
Resizer::Line::Line(int64_t from_, int64_t to_) : from(from_), to(to_) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(scale, 1.0);
  std::vector<double> shares;
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(static_cast<int64_t>(centre - reach + 0.5), 0);
    const auto end = std::min(static_cast<int64_t>(centre + reach + 0.5), from);
    double sum = 0;
    shares.clear();
    for (int64_t place = 0; place < end - first; ++place) {
      const double distance = (static_cast<double>(place + first) - centre + 0.5) * (1.0 / reach);
      shares.push_back(std::max(1.0 - std::abs(distance), 0.0));
      sum += shares.back();
    }
    Window& window = windows.emplace_back(Window{first, {}});
    for (const double share : shares)
      window.weights.push_back(static_cast<int32_t>(0.5 + share / sum * (1 << kWeightBits)));
  }
}

Resizer::Resizer(int64_t from_height, int64_t from_width, int64_t height, int64_t width)
    : across_(from_width, width), down_(from_height, height) {}

void Resizer::resize(const uint8_t* image, int64_t channels, Scratch& scratch, uint8_t* out) const {
  // A side that stays as it is would be copied through weights of 1.
  if (across_.from != across_.to) {
    const int64_t rows = channels * down_.from;
    scratch.rows.resize(static_cast<size_t>(rows * across_.to));
    resize_rows(image, rows, scratch.rows.data());
    image = scratch.rows.data();
  }
  if (down_.from == down_.to) {
    std::copy_n(image, channels * down_.to * across_.to, out);
    return;
  }
  for (int64_t c = 0; c < channels; ++c) {
    resize_columns(image + c * down_.from * across_.to, scratch.sums,
                   out + c * down_.to * across_.to);
  }
}

void Resizer::resize_rows(const uint8_t* image, int64_t rows, uint8_t* out) const {
  for (int64_t row = 0; row < rows; ++row, image += across_.from) {
    for (const Window& window : across_.windows) {
      const uint8_t* pixel = image + window.first;
      int32_t sum = kHalf;
      for (const int32_t weight : window.weights) sum += *pixel++ * weight;
      *out++ = round_sum(sum);
    }
  }
}

void Resizer::resize_columns(const uint8_t* plane, std::vector<int32_t>& sums, uint8_t* out) const {
  const int64_t width = across_.to;
  for (const Window& window : down_.windows) {
    const uint8_t* row = plane + window.first * width;
    sums.assign(static_cast<size_t>(width), kHalf);
    for (const int32_t weight : window.weights) {
      for (int32_t& sum : sums) sum += *row++ * weight;
    }
    out = std::transform(sums.begin(), sums.end(), out, round_sum);
  }
}

}  // namespace retort::host
