#include "framework/data/loader.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "framework/guard/plugin_entry.hpp"

namespace retort::host {
namespace {

constexpr size_t kAhead = 3;  // batches kept ready, beside one that each further thread makes

}  // namespace

Loader::Loader(const ImageData& data, const Sampler& sampler, std::vector<View> views,
               uint64_t seed, const MixConfig& mix, size_t workers)
    : data_(data),
      sampler_(sampler),
      views_(std::move(views)),
      seed_(seed),
      mix_(mix),
      workers_(workers) {
  if (mix_.cutmix <= 0) return;
  for (const View& view : views_) {
    if (view.maker->height() != data_.height || view.maker->width() != data_.width)
      throw std::logic_error("cutmix pastes one box into views of one size");
  }
}

Loader::~Loader() { stop(); }

void Loader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  ahead_.clear();
  next_ = end_ = 0;
  stopping_ = false;
}

void Loader::start_epoch(int64_t epoch, int64_t first_batch) {
  stop();
  order_ = sampler_.order(epoch);
  next_ = first_batch;
  end_ = sampler_.batches_per_epoch();
  for (size_t i = 0; i < workers_; ++i) threads_.emplace_back([this, epoch] { work(epoch); });
}

std::optional<Batch> Loader::next() {
  std::unique_lock lock(mutex_);
  if (next_ >= end_) return std::nullopt;
  changed_.wait(
      lock, [this] { return !ahead_.empty() && (ahead_.front().batch || ahead_.front().failure); });
  // It stays in front: threads at work count their places from next_, and a second call throws again.
  if (ahead_.front().failure) std::rethrow_exception(ahead_.front().failure);
  Batch batch = std::move(*ahead_.front().batch);
  ahead_.pop_front();
  ++next_;
  lock.unlock();
  changed_.notify_all();
  return batch;
}

/// Takes one batch's number after the other, as long as there is room ahead.
void Loader::work(int64_t epoch) {
  const ThreadEntry thread;
  const size_t most = kAhead + workers_ - 1;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] {
      return stopping_ || next_ + std::ssize(ahead_) >= end_ || ahead_.size() < most;
    });
    const int64_t number = next_ + std::ssize(ahead_);
    if (stopping_ || number >= end_) return;
    ahead_.emplace_back();
    lock.unlock();
    Made made = make_or_fail(epoch, number);
    lock.lock();
    if (stopping_) return;
    ahead_[static_cast<size_t>(number - next_)] = std::move(made);
    changed_.notify_all();
  }
}

Loader::Made Loader::make_or_fail(int64_t epoch, int64_t number) const {
  const auto size = static_cast<size_t>(sampler_.batch_size());
  const auto samples = std::span(order_).subspan(static_cast<size_t>(number) * size, size);
  try {
    return {make(samples, epoch, number), nullptr};
  } catch (...) {
    return {std::nullopt, std::current_exception()};
  }
}

Batch Loader::make(std::span<const int64_t> samples, int64_t epoch, int64_t number) const {
  Batch batch;
  const SamplePixels pixels(*data_.source, data_.train.split, samples);
  for (auto view = views_.begin(); view != views_.end(); ++view) {
    const auto same = std::find_if(views_.begin(), view,
                                   [&](const View& before) { return before.maker == view->maker; });
    batch.put(view->field,
              same == view ? view->maker->train_views(pixels, epoch) : batch.at(same->field),
              view->maker->times());
  }
  const auto count = static_cast<int64_t>(samples.size());
  const auto integers = at::TensorOptions().dtype(at::kLong);
  const at::Tensor labels = at::empty({count}, integers), indices = at::empty({count}, integers);
  const int64_t* all_labels = data_.train.labels.const_data_ptr<int64_t>();
  std::copy(samples.begin(), samples.end(), indices.data_ptr<int64_t>());
  std::transform(samples.begin(), samples.end(), labels.data_ptr<int64_t>(),
                 [&](int64_t sample) { return all_labels[sample]; });
  batch.put(kLabelField, labels);
  batch.put(kIndexField, indices);
  mix(batch, epoch, number);
  return batch;
}

void Loader::mix(Batch& batch, int64_t epoch, int64_t number) const {
  const Mix drawn = draw_mix(mix_, seed_, epoch, number, data_.height, data_.width);
  if (drawn.kind == Mix::Kind::None) return;
  std::vector<at::Tensor> mixed;
  for (const View& view : views_) {
    const at::Tensor& images = batch.at(view.field);
    const auto is_same = [&](const at::Tensor& done) { return done.is_same(images); };
    if (std::any_of(mixed.begin(), mixed.end(), is_same)) continue;
    mix_images(drawn, images, view.maker->times());
    mixed.push_back(images);
  }
  batch.share = drawn.lambda;
  batch.put(kMixedLabelField, batch.at(kLabelField).roll(1));  // of the neighbour, as the images
}

}  // namespace retort::host
