#pragma once

#include <array>
#include <string>

#include "framework/data/source.hpp"

namespace retort::host {

/// One split in memory.
struct StoredSplit {
  at::Tensor images;  // [N, C, H, W] uint8, contiguous
  at::Tensor labels;  // [N] int64
};

/// A data set that lies in memory, whole.
class MemorySource : public Source {
 public:
  MemorySource(SourceFacts facts, StoredSplit train, StoredSplit test);

  const SourceFacts& facts() const override { return facts_; }
  int64_t size(Split split) const override { return labels(split).size(0); }
  const at::Tensor& labels(Split split) const override { return stored(split).labels; }
  void fetch(Split split, std::span<const int64_t> samples, uint8_t* into) const override;
  const uint8_t* lend(Split split, int64_t sample) const override;
  /// XXH3-128 of the pixels and labels of both splits, one after the other.
  std::string fingerprint() const override;

 private:
  const StoredSplit& stored(Split split) const { return splits_[static_cast<size_t>(split)]; }

  SourceFacts facts_;
  std::array<StoredSplit, 2> splits_;
};

}  // namespace retort::host
