#include "framework/base/random.hpp"

#include <xxhash.h>

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace retort::host {
namespace {

__extension__ using Wide = unsigned __int128;

double unit_interval(uint32_t word) { return word * 0x1.0p-32; }

}  // namespace

void Philox::uniform(float* out, int64_t count, double low, double high) const {
  for (int64_t i = 0; i < count; i += 4) {
    const auto words = block(static_cast<uint64_t>(i / 4));
    for (int64_t j = 0; j < 4 && i + j < count; ++j) {
      const auto value = static_cast<float>(low + (high - low) * unit_interval(words[j]));
      // Rounding to float may reach the upper bound, which is not part of the interval.
      out[i + j] = value < static_cast<float>(high) || high <= low
                       ? value
                       : std::nextafter(static_cast<float>(high), static_cast<float>(low));
    }
  }
}

void Philox::normal(float* out, int64_t count, double mean, double stddev) const {
  for (int64_t i = 0; i < count; i += 4) {
    const auto words = block(static_cast<uint64_t>(i / 4));
    for (int64_t j = 0; j < 4 && i + j < count; ++j) {
      // Words 0 and 1 give one pair of normal numbers, words 2 and 3 another.
      const double radius = std::sqrt(-2 * std::log((words[j & 2] + 1.0) * 0x1.0p-32));
      const double angle = 2 * std::numbers::pi * unit_interval(words[(j & 2) + 1]);
      const double unit = radius * ((j & 1) == 0 ? std::cos(angle) : std::sin(angle));
      out[i + j] = static_cast<float>(mean + stddev * unit);
    }
  }
}

uint64_t Philox::word64(int64_t position) const {
  const auto words = block(static_cast<uint64_t>(position / 2));
  const size_t half = static_cast<size_t>(position % 2) * 2;
  return uint64_t{words[half]} | uint64_t{words[half + 1]} << 32;
}

void Philox::integers(int64_t* out, int64_t count, int64_t low, int64_t high) const {
  const auto range = static_cast<Wide>(static_cast<uint64_t>(high - low));
  for (int64_t i = 0; i < count; ++i) {
    out[i] = low + static_cast<int64_t>(static_cast<uint64_t>((range * word64(i)) >> 64));
  }
}

void Philox::permutation(int64_t* out, int64_t count) const {
  std::iota(out, out + count, int64_t{0});
  for (int64_t i = count - 1; i > 0; --i) {
    const auto range = static_cast<Wide>(i + 1);
    std::swap(out[i], out[static_cast<int64_t>((range * word64(i)) >> 64)]);
  }
}

uint64_t combine_key(uint64_t seed, std::string_view purpose, uint64_t number) {
  const uint64_t named = XXH3_64bits_withSeed(purpose.data(), purpose.size(), seed);
  return XXH3_64bits_withSeed(&number, sizeof(number), named);
}

}  // namespace retort::host
