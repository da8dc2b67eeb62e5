#include "framework/data/loader.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "framework/bridge/random.hpp"

namespace retort::host {
namespace {

constexpr size_t kAhead = 3;  // batches kept ready

}  // namespace

Loader::Loader(const ImageData& data, const ViewMaker& student, const ViewMaker* teacher,
               int64_t batch_size, uint64_t seed)
    : data_(data), student_(student), teacher_(teacher), batch_size_(batch_size), seed_(seed) {}

Loader::~Loader() { stop(); }

void Loader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  ready_.clear();
  failure_ = nullptr;
  stopping_ = false;
}

void Loader::start_epoch(int64_t epoch, int64_t first) {
  stop();
  finished_ = false;
  thread_ = std::thread([this, epoch, first] { work(epoch, first); });
}

std::optional<Batch> Loader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return finished_ || !ready_.empty(); });
  if (ready_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return std::nullopt;
  }
  Batch batch = std::move(ready_.front());
  ready_.pop_front();
  lock.unlock();
  changed_.notify_all();
  return batch;
}

void Loader::work(int64_t epoch, int64_t first_batch) {
  try {
    std::vector<int64_t> order(static_cast<size_t>(data_.train.size()));
    Philox(combine_key(seed_, "order", static_cast<uint64_t>(epoch)))
        .permutation(order.data(), data_.train.size());
    const auto size = static_cast<size_t>(batch_size_);
    for (size_t first = static_cast<size_t>(first_batch) * size; first + size <= order.size(); first += size) {
      Batch batch = make(std::span(order).subspan(first, size), epoch);
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || ready_.size() < kAhead; });
      if (stopping_) break;
      ready_.push_back(std::move(batch));
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

Batch Loader::make(std::span<const int64_t> samples, int64_t epoch) const {
  const auto count = static_cast<int64_t>(samples.size());
  Batch batch;
  batch.student_images = student_.train_views(samples, epoch);
  if (teacher_ == &student_) {
    batch.teacher_images = batch.student_images;
  } else if (teacher_ != nullptr) {
    batch.teacher_images = teacher_->train_views(samples, epoch);
  }
  batch.labels = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  batch.indices = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  const int64_t* all_labels = data_.train.labels.const_data_ptr<int64_t>();
  std::copy(samples.begin(), samples.end(), batch.indices.data_ptr<int64_t>());
  std::transform(samples.begin(), samples.end(), batch.labels.data_ptr<int64_t>(),
                 [&](int64_t sample) { return all_labels[sample]; });
  return batch;
}

}  // namespace retort::host
