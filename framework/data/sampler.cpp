#include "framework/data/sampler.hpp"

#include <iterator>
#include <utility>

#include "framework/base/random.hpp"

namespace retort::host {

Sampler::Sampler(std::vector<int64_t> samples, int64_t batch_size, uint64_t seed, int64_t rank,
                 int64_t world)
    : samples_(std::move(samples)),
      batch_size_(batch_size),
      seed_(seed),
      rank_(rank),
      world_(world) {}

int64_t Sampler::batches_per_epoch() const { return std::ssize(samples_) / batch_size_ / world_; }

std::vector<int64_t> Sampler::order(int64_t epoch) const {
  std::vector<int64_t> places(samples_.size());
  Philox(combine_key(seed_, "order", static_cast<uint64_t>(epoch)))
      .permutation(places.data(), std::ssize(places));
  std::vector<int64_t> order;
  order.reserve(static_cast<size_t>(batches_per_epoch() * batch_size_));
  for (int64_t number = 0; number < batches_per_epoch(); ++number) {
    const int64_t first = (number * world_ + rank_) * batch_size_;
    for (int64_t i = first; i < first + batch_size_; ++i)
      order.push_back(samples_[static_cast<size_t>(places[static_cast<size_t>(i)])]);
  }
  return order;
}

}  // namespace retort::host
