#include "framework/data/unwritten.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace retort::host {
namespace {

constexpr size_t kWord = sizeof(uint64_t);
constexpr size_t kBlockWords = 64;

using Words = std::array<uint64_t, kBlockWords>;

/// SplitMix64, from a start of its own: a data set may draw its pixels by the same rule.
constexpr uint64_t mix(uint64_t place) {
  uint64_t x = 0x5245544F52543A29u + (place + 1) * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// The words of a block are those of one table, changed by a number of the block: a loop over them
/// has no multiplication.
constexpr Words make_table() {
  Words table{};
  for (size_t i = 0; i < kBlockWords; ++i) table[i] = mix(i);
  return table;
}
constexpr Words kTable = make_table();

uint64_t key_of(size_t block) { return mix(kBlockWords + block); }

/// Whether any of the first `count` words of a block still stands.
bool any_stands(const uint8_t* at, uint64_t key, size_t count) {
  uint64_t any = 0;
  for (size_t i = 0; i < count; ++i) {
    uint64_t word = 0;
    std::memcpy(&word, at + i * kWord, kWord);
    any |= static_cast<uint64_t>(word == (kTable[i] ^ key));
  }
  return any != 0;
}

/// Counts the samples of words that rise.
class SampleCount {
 public:
  explicit SampleCount(int64_t sample_bytes) : sample_bytes_(sample_bytes) {}

  void add_word_at(size_t byte) {
    const auto begin = static_cast<int64_t>(byte);
    const int64_t last = (begin + static_cast<int64_t>(kWord) - 1) / sample_bytes_;
    const int64_t first = std::max(begin / sample_bytes_, counted_ + 1);
    if (found_.count == 0) found_.first = first;
    found_.count += last + 1 - first;
    counted_ = last;
  }
  const UnwrittenSamples& found() const { return found_; }

 private:
  int64_t sample_bytes_;
  int64_t counted_ = -1;  // the last sample that was counted
  UnwrittenSamples found_;
};

}  // namespace

void fill_unwritten(std::span<uint8_t> pixels) {
  constexpr size_t kBlock = kBlockWords * kWord;
  for (size_t begin = 0; begin < pixels.size(); begin += kBlock) {
    const uint64_t key = key_of(begin / kBlock);
    Words words = kTable;
    for (uint64_t& word : words) word ^= key;
    std::memcpy(pixels.data() + begin, words.data(), std::min(kBlock, pixels.size() - begin));
  }
}

std::optional<UnwrittenSamples> find_unwritten(std::span<const uint8_t> pixels,
                                               int64_t sample_bytes) {
  constexpr size_t kBlock = kBlockWords * kWord;
  SampleCount samples(sample_bytes);
  for (size_t begin = 0; begin < pixels.size(); begin += kBlock) {
    const uint64_t key = key_of(begin / kBlock);
    const size_t words = std::min(kBlock, pixels.size() - begin) / kWord;
    if (!any_stands(pixels.data() + begin, key, words)) continue;
    for (size_t i = 0; i < words; ++i) {
      const size_t byte = begin + i * kWord;
      uint64_t word = 0;
      std::memcpy(&word, pixels.data() + byte, kWord);
      if (word == (kTable[i] ^ key)) samples.add_word_at(byte);
    }
  }
  if (samples.found().count == 0) return std::nullopt;
  return samples.found();
}

}  // namespace retort::host
