#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/config/keys/normalize.hpp"

namespace retort::host {

/// The splits that a source has.
enum class Split { Train, Test };

/// What a data set says of itself. Each sample is [C, H, W] bytes and a class.
struct SourceFacts {
  std::string id;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t class_count = 0;
  Normalize normalize;  // the data set's own
  std::vector<std::string> class_names;

  int64_t sample_bytes() const { return channels * height * width; }
};

/// Where samples come from: memory, or files. It does not change, and any thread may call it.
class Source {
 public:
  virtual ~Source() = default;

  virtual const SourceFacts& facts() const = 0;
  /// The number of samples.
  virtual int64_t size(Split split) const = 0;
  /// The labels of all samples: [N] int64.
  virtual const at::Tensor& labels(Split split) const = 0;
  /// Writes the pixels of samples, one after the other in the order given: [n, C, H, W].
  /// Throws: DataError for one that cannot be read.
  virtual void fetch(Split split, std::span<const int64_t> samples, uint8_t* into) const = 0;
  /// The pixels of a sample where they lie, for as long as the source lives. Null for every sample
  /// of a source that has them elsewhere than in memory: they must be fetched.
  virtual const uint8_t* lend(Split split, int64_t sample) const = 0;
  /// Two sources of other pixels or labels have other ones.
  virtual std::string fingerprint() const = 0;
};

/// The pixels of some samples of a source: lent by it, or fetched into memory of their own, all at
/// once.
class SamplePixels {
 public:
  /// `source` and `samples` must outlive it.
  SamplePixels(const Source& source, Split split, std::span<const int64_t> samples);

  std::span<const int64_t> samples() const { return samples_; }
  /// [C, H, W] of the sample at that place of the list.
  const uint8_t* operator[](size_t place) const;

 private:
  const Source& source_;
  Split split_;
  std::span<const int64_t> samples_;
  size_t sample_bytes_;
  std::vector<uint8_t> fetched_;  // empty where they are lent
};

}  // namespace retort::host
