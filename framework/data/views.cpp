#include "framework/data/views.hpp"

#include <ATen/ops/empty.h>

#include "framework/bridge/random.hpp"
#include "framework/error.hpp"

namespace retort::host {

ViewMaker::ViewMaker(const ImageData& data, const Normalize& normalize,
                     std::vector<Augment> augment, uint64_t seed, bool channels_last)
    : data_(data), augment_(std::move(augment)), seed_(seed), channels_last_(channels_last) {
  const auto channels = static_cast<size_t>(data.channels);
  if (normalize.mean.size() != channels || normalize.stddev.size() != channels) {
    throw ConfigError("normalize has " + std::to_string(normalize.mean.size()) + " means and " +
                      std::to_string(normalize.stddev.size()) + " deviations; " + data.id +
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

ViewMaker::Offset ViewMaker::draw(int64_t sample, int64_t epoch) const {
  Offset offset;
  const Philox random(combine_key(seed_, "augment", static_cast<uint64_t>(epoch)));
  uint64_t step = 0;
  for (const Augment& augment : augment_) {
    const auto words = random.block(static_cast<uint64_t>(sample), step++);
    if (augment.kind == Augment::Kind::Flip) {
      if ((words[0] & 1) != 0) {
        offset.flip = !offset.flip;
        offset.x = -offset.x;  // a crop before a flip moves to the other side with it
      }
    } else {
      const auto places = static_cast<uint64_t>(2 * augment.padding + 1);
      offset.y += static_cast<int64_t>((words[0] * places) >> 32) - augment.padding;
      offset.x += static_cast<int64_t>((words[1] * places) >> 32) - augment.padding;
    }
  }
  return offset;
}

at::Tensor ViewMaker::empty_batch(int64_t count) const {
  return at::empty({count, data_.channels, data_.height, data_.width},
                   at::TensorOptions().dtype(at::kFloat),
                   channels_last_ ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

void ViewMaker::render(const uint8_t* image, const Offset& offset, float* out) const {
  const int64_t height = data_.height, width = data_.width, channels = data_.channels;
  const int64_t pixel = channels_last_ ? channels : 1;
  for (int64_t c = 0; c < channels; ++c) {
    const auto& levels = levels_[static_cast<size_t>(c)];
    const uint8_t* plane = image + c * height * width;
    float* target = out + (channels_last_ ? c : c * height * width);
    for (int64_t y = 0; y < height; ++y) {
      const int64_t from_y = y + offset.y;
      const bool inside = from_y >= 0 && from_y < height;
      const uint8_t* row = plane + from_y * width;
      for (int64_t x = 0; x < width; ++x, target += pixel) {
        // The crop's window is moved over the padded image and then mirrored.
        const int64_t from_x = offset.flip ? width - 1 - x - offset.x : x + offset.x;
        *target = levels[inside && from_x >= 0 && from_x < width ? row[from_x] : 0];
      }
    }
  }
}

at::Tensor ViewMaker::train_views(std::span<const int64_t> samples, int64_t epoch) const {
  at::Tensor batch = empty_batch(static_cast<int64_t>(samples.size()));
  const int64_t size = data_.channels * data_.height * data_.width;
  const uint8_t* images = data_.train.images.const_data_ptr<uint8_t>();
  float* out = batch.data_ptr<float>();
  for (const int64_t sample : samples) {
    render(images + sample * size, draw(sample, epoch), out);
    out += size;
  }
  return batch;
}

at::Tensor ViewMaker::test_views(int64_t first, int64_t count) const {
  at::Tensor batch = empty_batch(count);
  const int64_t size = data_.channels * data_.height * data_.width;
  const uint8_t* images = data_.test.images.const_data_ptr<uint8_t>();
  float* out = batch.data_ptr<float>();
  for (int64_t i = 0; i < count; ++i, out += size) render(images + (first + i) * size, {}, out);
  return batch;
}

}  // namespace retort::host
