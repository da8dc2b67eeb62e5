#include "framework/data/views.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/base/random.hpp"

namespace retort::host {
namespace {

/// A box of an image of one size as it lies in the image resized, to the nearest pixels.
void scale_side(int64_t from, int64_t to, int64_t& begin, int64_t& length) {
  const auto scale = [&](int64_t place) { return (2 * place * to + from) / (2 * from); };
  const int64_t end = scale(begin + length);
  begin = scale(begin);
  length = end - begin;
}

}  // namespace

struct ViewMaker::Room {
  explicit Room(const ViewMaker& maker)
      : image(maker.data_.channels, maker.data_.height, maker.data_.width) {
    if (maker.resizer_) {
      resized.resize(static_cast<size_t>(image.channels * maker.height_ * maker.width_));
    }
  }

  PlanarImage image;
  Resizer::Scratch scratch;
  std::vector<uint8_t> resized;
};

ViewMaker::ViewMaker(const ImageData& data, const Normalize& normalize, ViewRecipe recipe,
                     uint64_t seed, bool channels_last)
    : data_(data),
      recipe_(std::move(recipe)),
      chain_(recipe_.augment, data, recipe_.key),
      height_(recipe_.size > 0 ? recipe_.size : data.height),
      width_(recipe_.size > 0 ? recipe_.size : data.width),
      seed_(seed),
      channels_last_(channels_last) {
  if (height_ != data.height || width_ != data.width)
    resizer_.emplace(data.height, data.width, height_, width_);
  fill_levels(normalize);
}

void ViewMaker::fill_levels(const Normalize& normalize) {
  const auto channels = static_cast<size_t>(data_.channels);
  if (normalize.mean.size() != channels || normalize.stddev.size() != channels) {
    throw ConfigError("normalize has " + std::to_string(normalize.mean.size()) + " means and " +
                      std::to_string(normalize.stddev.size()) + " deviations; " + data_.id +
                      " has " + std::to_string(channels) + " channels");
  }
  levels_.resize(channels);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t level = 0; level < 256; ++level) {
      levels_[c][level] = static_cast<float>(
          (static_cast<double>(level) / 255.0 - normalize.mean[c]) / normalize.stddev[c]);
    }
  }
}

/// The numbers of a copy in an epoch. Turned copies share the first one's.
Philox ViewMaker::make_random(int64_t epoch, int64_t copy) const {
  const std::string purpose = recipe_.draws_as.empty() ? "augment" : "augment/" + recipe_.draws_as;
  const uint64_t key = combine_key(seed_, purpose, static_cast<uint64_t>(epoch));
  if (copy == 0 || chain_.turns()) return Philox(key);
  return Philox(combine_key(key, "copy", static_cast<uint64_t>(copy)));
}

at::Tensor ViewMaker::make_empty(int64_t count) const {
  return at::empty({count, data_.channels, height_, width_}, at::TensorOptions().dtype(at::kFloat),
                   channels_last_ ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

at::Tensor ViewMaker::train_views(std::span<const int64_t> samples, int64_t epoch) const {
  return train_views(SamplePixels(*data_.source, data_.train.split, samples), epoch);
}

at::Tensor ViewMaker::train_views(const SamplePixels& pixels, int64_t epoch) const {
  const std::span<const int64_t> samples = pixels.samples();
  at::Tensor batch = make_empty(std::ssize(samples) * recipe_.times);
  const int64_t size = data_.channels * height_ * width_;
  std::vector<Philox> copies;
  for (int64_t copy = 0; copy < recipe_.times; ++copy) copies.push_back(make_random(epoch, copy));
  std::optional<Room> room;
  if (!chain_.only_moves() || resizer_) room.emplace(*this);
  float* out = batch.data_ptr<float>();
  for (size_t i = 0; i < samples.size(); ++i) {
    for (int64_t copy = 0; copy < recipe_.times; ++copy, out += size) {
      const Philox& random = copies[static_cast<size_t>(copy)];
      if (!room) {
        render(pixels[i], chain_.draw_move(random, samples[i]), out);
      } else {
        write_view(chain_.apply(random, samples[i], copy, pixels[i], room->image), *room, out);
      }
    }
  }
  return batch;
}

at::Tensor ViewMaker::test_views(int64_t first, int64_t count, EvalSplit split) const {
  at::Tensor batch = make_empty(count);
  const int64_t size = data_.channels * height_ * width_;
  const std::vector<int64_t> samples = data_.find_positions(split, first, count);
  const SamplePixels pixels(*data_.source, data_.find_split(split), samples);
  std::optional<Room> room;
  if (resizer_) room.emplace(*this);
  float* out = batch.data_ptr<float>();
  for (size_t i = 0; i < samples.size(); ++i, out += size) {
    if (!room) {
      render(pixels[i], {}, out);
    } else {
      write_view({pixels[i], {}, {}}, *room, out);
    }
  }
  return batch;
}

/// Finishes a view: resized, normalised, and its box blanked.
void ViewMaker::write_view(Augmented view, Room& room, float* out) const {
  if (resizer_) {
    move_image(view.image, view.offset, room.image);
    resizer_->resize(room.image.pixels.data(), data_.channels, room.scratch, room.resized.data());
    view.image = room.resized.data();
    view.offset = {};
    scale_side(data_.height, height_, view.erased.top, view.erased.height);
    scale_side(data_.width, width_, view.erased.left, view.erased.width);
  }
  render(view.image, view.offset, out);
  erase(view.erased, out);
}

void ViewMaker::render(const uint8_t* image, const Offset& offset, float* out) const {
  const int64_t height = height_, width = width_, channels = data_.channels;
  const int64_t pixel = channels_last_ ? channels : 1;
  // The crop's window is moved over the padded image and then mirrored: column x comes from column
  // start + step x, which lies inside the image for x in [first, last).
  const int64_t step = offset.flip ? -1 : 1;
  const int64_t start = offset.flip ? width - 1 - offset.x : offset.x;
  const int64_t begin_at = offset.flip ? start - width + 1 : -start;
  const int64_t first = std::clamp<int64_t>(begin_at, 0, width);
  const int64_t last = std::clamp<int64_t>(begin_at + width, first, width);
  for (int64_t c = 0; c < channels; ++c) {
    const auto& levels = levels_[static_cast<size_t>(c)];
    const uint8_t* plane = image + c * height * width;
    float* target = out + (channels_last_ ? c : c * height * width);
    for (int64_t y = 0; y < height; ++y) {
      const int64_t from_y = y + offset.y;
      const bool inside = from_y >= 0 && from_y < height;
      const uint8_t* from = plane + from_y * width + start;
      const int64_t begin = inside ? first : width, end = inside ? last : width;
      int64_t x = 0;
      for (; x < begin; ++x, target += pixel) *target = levels[0];
      for (; x < end; ++x, target += pixel) *target = levels[from[x * step]];
      for (; x < width; ++x, target += pixel) *target = levels[0];
    }
  }
}

void ViewMaker::erase(const Box& box, float* out) const {
  const int64_t channels = data_.channels, plane = height_ * width_;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t y = box.top; y < box.top + box.height; ++y) {
      for (int64_t x = box.left; x < box.left + box.width; ++x) {
        const int64_t place = y * width_ + x;
        out[channels_last_ ? place * channels + c : c * plane + place] = 0;
      }
    }
  }
}

}  // namespace retort::host
