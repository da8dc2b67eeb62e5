#include "framework/data/loader.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "framework/base/random.hpp"
#include "framework/guard/plugin_entry.hpp"

namespace retort::host {
namespace {

constexpr size_t kAhead = 3;  // batches kept ready

}  // namespace

Loader::Loader(const ImageData& data, const ViewMaker& student, const ViewMaker* teacher,
               int64_t batch_size, uint64_t seed, const MixConfig& mix)
    : data_(data),
      student_(student),
      teacher_(teacher),
      batch_size_(batch_size),
      seed_(seed),
      mix_(mix) {}

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

void Loader::start_epoch(int64_t epoch, int64_t first_batch) {
  stop();
  finished_ = false;
  thread_ = std::thread([this, epoch, first_batch] { work(epoch, first_batch); });
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

std::vector<int64_t> Loader::order_of(int64_t epoch) const {
  std::vector<int64_t> order(static_cast<size_t>(data_.trained_count()));
  Philox(combine_key(seed_, "order", static_cast<uint64_t>(epoch)))
      .permutation(order.data(), std::ssize(order));
  if (data_.validation.empty()) return order;
  const std::vector<int64_t> samples = data_.trained_samples();
  for (int64_t& place : order) place = samples[static_cast<size_t>(place)];
  return order;
}

void Loader::work(int64_t epoch, int64_t first_batch) {
  const ThreadEntry thread;
  try {
    const std::vector<int64_t> order = order_of(epoch);
    const auto size = static_cast<size_t>(batch_size_);
    for (int64_t number = first_batch; number < batches_per_epoch(); ++number) {
      const size_t first = static_cast<size_t>(number) * size;
      Batch batch = make(std::span(order).subspan(first, size), epoch, number);
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

Batch Loader::make(std::span<const int64_t> samples, int64_t epoch, int64_t number) const {
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
  mix(batch, epoch, number);
  return batch;
}

void Loader::mix(Batch& batch, int64_t epoch, int64_t number) const {
  const Mix drawn = draw_mix(mix_, seed_, epoch, number, data_.height, data_.width);
  if (drawn.kind == Mix::Kind::None) return;
  mix_images(drawn, batch.student_images);
  if (batch.teacher_images.defined() && !batch.teacher_images.is_same(batch.student_images)) {
    mix_images(drawn, batch.teacher_images);
  }
  batch.mix = drawn.lambda;
  batch.mixed_labels = batch.labels.roll(1);  // of the neighbour, as the images
}

}  // namespace retort::host
