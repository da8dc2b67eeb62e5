#include "framework/data/sample_set.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <numeric>

namespace retort::host {

at::Tensor SampleSet::labels(EvalSplit split, int64_t first, int64_t count) const {
  if (split == EvalSplit::Test) return test.labels.narrow(0, first, count);
  at::Tensor held = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  const int64_t* all = train.labels.const_data_ptr<int64_t>();
  const auto from = validation.begin() + first;
  std::transform(from, from + count, held.data_ptr<int64_t>(),
                 [&](int64_t sample) { return all[sample]; });
  return held;
}

std::vector<int64_t> SampleSet::find_positions(EvalSplit split, int64_t first,
                                               int64_t count) const {
  if (split == EvalSplit::Validation) {
    const auto from = validation.begin() + first;
    return {from, from + count};
  }
  std::vector<int64_t> samples(static_cast<size_t>(count));
  std::iota(samples.begin(), samples.end(), first);
  return samples;
}

std::vector<int64_t> SampleSet::trained_samples() const {
  std::vector<int64_t> samples;
  samples.reserve(static_cast<size_t>(trained_count()));
  auto held = validation.begin();
  for (int64_t sample = 0; sample < train.size(); ++sample) {
    if (held != validation.end() && *held == sample) {
      ++held;
    } else {
      samples.push_back(sample);
    }
  }
  return samples;
}

}  // namespace retort::host
