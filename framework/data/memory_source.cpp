#include "framework/data/memory_source.hpp"

#include <algorithm>
#include <utility>

#include "framework/io/hash.hpp"

namespace retort::host {

MemorySource::MemorySource(SourceFacts facts, StoredSplit train, StoredSplit test)
    : facts_(std::move(facts)), splits_{std::move(train), std::move(test)} {}

const uint8_t* MemorySource::lend(Split split, int64_t sample) const {
  return stored(split).images.const_data_ptr<uint8_t>() + sample * facts_.sample_bytes();
}

void MemorySource::fetch(Split split, std::span<const int64_t> samples, uint8_t* into) const {
  for (const int64_t sample : samples)
    into = std::copy_n(lend(split, sample), facts_.sample_bytes(), into);
}

std::string MemorySource::fingerprint() const {
  std::string text;
  for (const StoredSplit& split : splits_) {
    for (const at::Tensor* tensor : {&split.images, &split.labels}) {
      text +=
          xxh3_128_hex({static_cast<const uint8_t*>(tensor->const_data_ptr()), tensor->nbytes()});
    }
  }
  return text;
}

}  // namespace retort::host
