#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "framework/data/batch.hpp"
#include "framework/data/mix.hpp"
#include "framework/data/sampler.hpp"
#include "framework/data/views.hpp"

namespace retort::host {

/// A field of the batches, and who makes it. Fields of one maker are one tensor.
struct View {
  std::string field;
  const ViewMaker* maker = nullptr;
};

/// Prepares the batches of an epoch on threads of its own, a few ahead of the training step: the
/// views, each with as many rows a sample as its maker makes copies, then label and index, then what
/// is mixed. A batch is a function of (seed, epoch, its number), whatever the number of threads.
class Loader {
 public:
  /// All but `views` must outlive it.
  /// Throws: std::logic_error for cutmix with a view of another size than the data's.
  Loader(const ImageData& data, const Sampler& sampler, std::vector<View> views, uint64_t seed,
         const MixConfig& mix = {}, size_t workers = 1);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Starts on an epoch, at its first batch or a later one; the batches of one that was not read to
  /// its end are dropped.
  void start_epoch(int64_t epoch, int64_t first_batch = 0);
  /// The next batch of the epoch, or nothing at its end. Waits for the threads, and throws what the
  /// one that makes it threw.
  std::optional<Batch> next();

 private:
  /// What a thread made of a batch's number; nothing yet where both are empty.
  struct Made {
    std::optional<Batch> batch;
    std::exception_ptr failure;
  };

  void work(int64_t epoch);
  Made make_or_fail(int64_t epoch, int64_t number) const;
  Batch make(std::span<const int64_t> samples, int64_t epoch, int64_t number) const;
  void mix(Batch& batch, int64_t epoch, int64_t number) const;
  void stop();

  const ImageData& data_;
  const Sampler& sampler_;
  std::vector<View> views_;
  uint64_t seed_;
  MixConfig mix_;
  size_t workers_;

  std::vector<int64_t> order_;  // of the epoch
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Made> ahead_;      // from batch next_ on, those that are begun
  int64_t next_ = 0, end_ = 0;  // of the epoch's batches
  bool stopping_ = false;
};

}  // namespace retort::host
