#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace retort::host {

/// A counter-based generator: a number is a function of (key, position) alone, so any part of any
/// stream can be made again, in any order, on any number of threads. Integers and uniform numbers are
/// the same on every machine; normal numbers take std::log, std::sin and std::cos, whose last bit is
/// the C library's.
/// Source:  Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", Philox4x32-10.
class Philox {
 public:
  explicit Philox(uint64_t key) : key_(key) {}

  /// Four random words of one counter.
  std::array<uint32_t, 4> block(uint64_t counter, uint64_t stream = 0) const {
    std::array<uint32_t, 4> x = {
        static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32),
        static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)};
    uint32_t k0 = static_cast<uint32_t>(key_), k1 = static_cast<uint32_t>(key_ >> 32);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      const uint64_t p0 = uint64_t{0xD2511F53u} * x[0], p1 = uint64_t{0xCD9E8D57u} * x[2];
      x = {static_cast<uint32_t>(p1 >> 32) ^ x[1] ^ k0, static_cast<uint32_t>(p1),
           static_cast<uint32_t>(p0 >> 32) ^ x[3] ^ k1, static_cast<uint32_t>(p0)};
    }
    return x;
  }

  /// Fills with numbers in [low, high).
  void uniform(float* out, int64_t count, double low, double high) const;
  /// Fills with the numbers at positions first, first + 1 .. of the stream of those that are 1 with the
  /// probability p, else 0. However a stream is cut into parts, it holds the same numbers.
  void bernoulli(float* out, int64_t first, int64_t count, double p) const;
  /// The same of the stream of numbers in [0, 1), with 24 bits each.
  void unit_floats(float* out, int64_t first, int64_t count) const;
  /// Fills with normal numbers (Box-Muller).
  void normal(float* out, int64_t count, double mean, double stddev) const;
  /// Fills with integers in [low, high).
  void integers(int64_t* out, int64_t count, int64_t low, int64_t high) const;
  /// Writes a random order of 0 .. count - 1 (Fisher-Yates).
  void permutation(int64_t* out, int64_t count) const;

 private:
  uint64_t word64(int64_t position) const;
  template <class Convert>
  void convert_words(float* out, int64_t first, int64_t count, Convert convert) const;

  uint64_t key_;
};

/// A key for one purpose: combine_key(seed, "augment", epoch) and combine_key(seed, "order", epoch)
/// are unrelated.
uint64_t combine_key(uint64_t seed, std::string_view purpose, uint64_t number = 0);

}  // namespace retort::host
