#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace retort::host {

// Which pixels a data set's read() left as it got them. The array holds, before read(), words of 8
// bytes that follow from their places alone; a word that still stands there afterwards was not written:
// by chance one word of 2^64 would. A gap of 15 bytes or more holds a whole word.

/// Fills the pixels with the words.
void fill_unwritten(std::span<uint8_t> pixels);

/// The samples that hold words which were not written.
struct UnwrittenSamples {
  int64_t first = 0;
  int64_t count = 0;
};

/// Nothing where all was written. `sample_bytes` is the size of one sample, at least 1.
std::optional<UnwrittenSamples> find_unwritten(std::span<const uint8_t> pixels,
                                               int64_t sample_bytes);

}  // namespace retort::host
