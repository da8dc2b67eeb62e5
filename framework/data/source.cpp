#include "framework/data/source.hpp"

namespace retort::host {

SamplePixels::SamplePixels(const Source& source, Split split, std::span<const int64_t> samples)
    : source_(source),
      split_(split),
      samples_(samples),
      sample_bytes_(static_cast<size_t>(source.facts().sample_bytes())) {
  if (samples.empty() || source.lend(split, samples.front()) != nullptr) return;
  fetched_.resize(samples.size() * sample_bytes_);
  source.fetch(split, samples, fetched_.data());
}

const uint8_t* SamplePixels::operator[](size_t place) const {
  if (fetched_.empty()) return source_.lend(split_, samples_[place]);
  return fetched_.data() + place * sample_bytes_;
}

}  // namespace retort::host
