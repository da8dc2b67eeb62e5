#pragma once

#include <cstdint>
#include <vector>

namespace retort::host {

/// The order in which an epoch draws its samples: a permutation that is a function of (seed, epoch),
/// from Philox under the key (seed, "order", epoch). What is held out is not among the samples. A last
/// batch that would be smaller is left out.
class Sampler {
 public:
  /// `samples`: positions in the training split, rising. Of `world` processes that share each epoch,
  /// process `rank` draws every world-th batch from the rank-th on; all draw as many.
  Sampler(std::vector<int64_t> samples, int64_t batch_size, uint64_t seed, int64_t rank = 0,
          int64_t world = 1);

  int64_t batch_size() const { return batch_size_; }
  /// Of this process.
  int64_t batches_per_epoch() const;
  /// The samples of an epoch, batch by batch: batches_per_epoch() * batch_size() of them.
  std::vector<int64_t> order(int64_t epoch) const;

 private:
  std::vector<int64_t> samples_;
  int64_t batch_size_;
  uint64_t seed_;
  int64_t rank_, world_;
};

}  // namespace retort::host
