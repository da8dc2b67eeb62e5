#include "framework/data/random_erasing.hpp"

#include <cmath>

namespace retort::host {
namespace {

constexpr double kLeastArea = 0.02, kMostArea = 0.33;
constexpr double kLeastRatio = 0.3, kMostRatio = 3.3;
constexpr uint64_t kAttempts = 10;

double between(double low, double high, uint32_t word) {
  return low + (high - low) * (word * 0x1.0p-32);
}

int64_t below(int64_t count, uint32_t word) {
  return static_cast<int64_t>((word * static_cast<uint64_t>(count)) >> 32);
}

}  // namespace

Box draw_erased_box(int64_t height, int64_t width, const AttemptWords& words) {
  for (uint64_t attempt = 0; attempt < kAttempts; ++attempt) {
    const std::array<uint32_t, 4> word = words(attempt);
    const double area =
        static_cast<double>(height * width) * between(kLeastArea, kMostArea, word[0]);
    const double ratio = std::exp(between(std::log(kLeastRatio), std::log(kMostRatio), word[1]));
    Box box;
    box.height = std::llround(std::sqrt(area * ratio));
    box.width = std::llround(std::sqrt(area / ratio));
    if (box.height >= height || box.width >= width) continue;
    box.top = below(height - box.height + 1, word[2]);
    box.left = below(width - box.width + 1, word[3]);
    return box;
  }
  return {};
}

}  // namespace retort::host
