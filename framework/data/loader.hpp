#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "framework/data/mix.hpp"
#include "framework/data/views.hpp"

namespace retort::host {

/// One training batch, on the CPU.
struct Batch {
  at::Tensor student_images;  // [N, C, H, W] float32
  // The student's own tensor where both networks normalise alike; undefined without a teacher.
  at::Tensor teacher_images;
  at::Tensor labels;   // [N] int64
  at::Tensor indices;  // [N] int64, positions in the training split
  // Image i is `mix` of its own sample and 1 - mix of one with this label: [N] int64. Undefined
  // where nothing is mixed.
  at::Tensor mixed_labels;
  double mix = 1;

  /// Whether (seed, epoch, index) alone gives each view again: not where samples are mixed.
  bool addressable() const { return !mixed_labels.defined(); }
};

/// Prepares the batches of an epoch on a thread of its own, a few ahead of the training step. The
/// order of the samples is a function of (seed, epoch), and a batch one of (seed, epoch, its
/// number); samples that are held out are not drawn, and a last batch that would be smaller is left
/// out.
class Loader {
 public:
  /// `teacher` may be null, or the same object as `student`.
  Loader(const ImageData& data, const ViewMaker& student, const ViewMaker* teacher,
         int64_t batch_size, uint64_t seed, const MixConfig& mix = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  int64_t batches_per_epoch() const { return data_.trained_count() / batch_size_; }

  /// Starts on an epoch, at its first batch or a later one; the batches of one that was not read to
  /// its end are dropped.
  void start_epoch(int64_t epoch, int64_t first_batch = 0);
  /// The next batch of the epoch, or nothing at its end. Waits for the thread, and throws what it
  /// threw.
  std::optional<Batch> next();

 private:
  void work(int64_t epoch, int64_t first_batch);
  std::vector<int64_t> order_of(int64_t epoch) const;
  Batch make(std::span<const int64_t> samples, int64_t epoch, int64_t number) const;
  void mix(Batch& batch, int64_t epoch, int64_t number) const;
  void stop();

  const ImageData& data_;
  const ViewMaker& student_;
  const ViewMaker* teacher_;
  int64_t batch_size_;
  uint64_t seed_;
  MixConfig mix_;

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  std::exception_ptr failure_;
  bool finished_ = true;
  bool stopping_ = false;
};

}  // namespace retort::host
