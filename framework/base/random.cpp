#include "framework/base/random.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace retort::host {
namespace {

__extension__ using Wide = unsigned __int128;

double unit_interval(uint32_t word) { return word * 0x1.0p-32; }

constexpr size_t kLanes = 16;

/// The words of kLanes counters that follow one another: blocks side by side, so that a compiler makes
/// one vector instruction of a round's step.
void make_words(uint64_t key, uint64_t counter, std::array<uint32_t, 4 * kLanes>& out) {
  std::array<uint32_t, kLanes> a, b, c{}, d{};
  for (size_t i = 0; i < kLanes; ++i) {
    a[i] = static_cast<uint32_t>(counter + i);
    b[i] = static_cast<uint32_t>((counter + i) >> 32);
  }
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    for (size_t i = 0; i < kLanes; ++i) {
      const uint64_t p0 = uint64_t{0xD2511F53u} * a[i], p1 = uint64_t{0xCD9E8D57u} * c[i];
      a[i] = static_cast<uint32_t>(p1 >> 32) ^ b[i] ^ k0;
      b[i] = static_cast<uint32_t>(p1);
      c[i] = static_cast<uint32_t>(p0 >> 32) ^ d[i] ^ k1;
      d[i] = static_cast<uint32_t>(p0);
    }
  }
  for (size_t i = 0; i < kLanes; ++i) {
    out[4 * i] = a[i];
    out[4 * i + 1] = b[i];
    out[4 * i + 2] = c[i];
    out[4 * i + 3] = d[i];
  }
}

}  // namespace

/// Converts the words at positions first .. of the stream.
template <class Convert>
void Philox::convert_words(float* out, int64_t first, int64_t count, Convert convert) const {
  constexpr auto kWords = static_cast<int64_t>(4 * kLanes);
  std::array<uint32_t, 4 * kLanes> words;
  int64_t done = 0;
  while (done < count) {
    const int64_t position = first + done, skipped = position % 4;
    make_words(key_, static_cast<uint64_t>(position / 4), words);
    const int64_t here = std::min(kWords - skipped, count - done);
    for (int64_t i = 0; i < here; ++i)
      out[done + i] = convert(words[static_cast<size_t>(skipped + i)]);
    done += here;
  }
}

void Philox::bernoulli(float* out, int64_t first, int64_t count, double p) const {
  // The words below it are 1: all 2^32 of them for p = 1.
  const auto threshold = static_cast<uint64_t>(std::clamp(p, 0.0, 1.0) * 0x1.0p32);
  convert_words(out, first, count,
                [threshold](uint32_t word) { return word < threshold ? 1.0F : 0.0F; });
}

void Philox::unit_floats(float* out, int64_t first, int64_t count) const {
  convert_words(out, first, count,
                [](uint32_t word) { return static_cast<float>(word >> 8) * 0x1.0p-24F; });
}

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
