#include "framework/data/views.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "framework/base/error.hpp"
#include "framework/base/random.hpp"
#include "framework/data/randaugment.hpp"

namespace retort::host {
namespace {

bool moves(const Augment& step) {
  return step.kind == Augment::Kind::Crop || step.kind == Augment::Kind::Flip;
}

/// The random words of one step of a view: as many blocks of four as it asks for.
struct StepWords {
  const Philox& random;
  uint64_t sample;
  uint64_t step;

  std::array<uint32_t, 4> block(uint64_t number) const {
    return random.block(sample, step | number << 32);
  }
};

void rand_augment(const Augment& step, const StepWords& words, PlanarImage& image) {
  for (int64_t i = 0; i < step.operations; ++i) {
    const auto word = words.block(static_cast<uint64_t>(i));
    const auto operation = (uint64_t{word[0]} * kAugmentOperations) >> 32;
    apply(static_cast<AugmentOperation>(operation), step.magnitude, (word[1] & 1) != 0, image);
  }
}

}  // namespace

ViewMaker::ViewMaker(const ImageData& data, const Normalize& normalize,
                     std::vector<Augment> augment, uint64_t seed, bool channels_last)
    : data_(data),
      augment_(std::move(augment)),
      seed_(seed),
      channels_last_(channels_last),
      moves_only_(std::all_of(augment_.begin(), augment_.end(), moves)) {
  const auto channels = static_cast<size_t>(data.channels);
  if (normalize.mean.size() != channels || normalize.stddev.size() != channels) {
    throw ConfigError("normalize has " + std::to_string(normalize.mean.size()) + " means and " +
                      std::to_string(normalize.stddev.size()) + " deviations; " + data.id +
                      " has " + std::to_string(channels) + " channels");
  }
  check_augment();
  levels_.resize(channels);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t level = 0; level < 256; ++level) {
      levels_[c][level] = static_cast<float>(
          (static_cast<double>(level) / 255.0 - normalize.mean[c]) / normalize.stddev[c]);
    }
  }
}

void ViewMaker::check_augment() const {
  for (size_t i = 0; i < augment_.size(); ++i) {
    const Augment::Kind kind = augment_[i].kind;
    const std::string key = "data.augment[" + std::to_string(i) + "]";
    if (kind == Augment::Kind::RandAugment && data_.channels != 1 && data_.channels != 3) {
      throw ConfigError(key + ": randaugment is defined for images of 1 or 3 channels; " +
                        data_.id + " has " + std::to_string(data_.channels) +
                        "; take it out of the list");
    }
    if (kind == Augment::Kind::Erase && i + 1 < augment_.size()) {
      throw ConfigError(key + ": erase is step " + std::to_string(i + 1) + " of " +
                        std::to_string(augment_.size()) +
                        "; it blanks the normalised image, so put it last");
    }
  }
}

void ViewMaker::move(Offset& offset, const Augment& step, const std::array<uint32_t, 4>& words) {
  if (step.kind == Augment::Kind::Flip) {
    if ((words[0] & 1) != 0) {
      offset.flip = !offset.flip;
      offset.x = -offset.x;  // a crop before a flip moves to the other side with it
    }
  } else {
    const auto places = static_cast<uint64_t>(2 * step.padding + 1);
    offset.y += static_cast<int64_t>((words[0] * places) >> 32) - step.padding;
    offset.x += static_cast<int64_t>((words[1] * places) >> 32) - step.padding;
  }
}

ViewMaker::Offset ViewMaker::draw(int64_t sample, int64_t epoch) const {
  Offset offset;
  const Philox random(combine_key(seed_, "augment", static_cast<uint64_t>(epoch)));
  uint64_t step = 0;
  for (const Augment& augment : augment_) {
    move(offset, augment, random.block(static_cast<uint64_t>(sample), step++));
  }
  return offset;
}

void ViewMaker::make_view(int64_t sample, int64_t epoch, PlanarImage& work, float* out) const {
  const Philox random(combine_key(seed_, "augment", static_cast<uint64_t>(epoch)));
  const auto size = std::ssize(work.pixels);
  const uint8_t* image = data_.train.images.const_data_ptr<uint8_t>() + sample * size;
  Offset offset;  // of the moves since `image` was made
  Box erased;
  for (size_t i = 0; i < augment_.size(); ++i) {
    const Augment& step = augment_[i];
    const StepWords words{random, static_cast<uint64_t>(sample), i};
    if (moves(step)) {
      move(offset, step, words.block(0));
    } else if (step.kind == Augment::Kind::RandAugment) {
      cut(image, offset, work.scratch.data());
      work.pixels.swap(work.scratch);
      rand_augment(step, words, work);
      image = work.pixels.data();
      offset = {};
    } else if (words.block(0)[0] * 0x1.0p-32 < step.probability) {
      erased = draw_erased_box(data_.height, data_.width,
                               [&](uint64_t attempt) { return words.block(1 + attempt); });
    }
  }
  render(image, offset, out);
  erase(erased, out);
}

void ViewMaker::cut(const uint8_t* image, const Offset& offset, uint8_t* out) const {
  const int64_t height = data_.height, width = data_.width;
  for (int64_t row = 0; row < data_.channels * height; ++row) {
    const int64_t from_y = row % height + offset.y;
    const bool inside = from_y >= 0 && from_y < height;
    const uint8_t* from = image + (row + offset.y) * width;
    for (int64_t x = 0; x < width; ++x) {
      const int64_t from_x = offset.flip ? width - 1 - x - offset.x : x + offset.x;
      *out++ = inside && from_x >= 0 && from_x < width ? from[from_x] : uint8_t{0};
    }
  }
}

void ViewMaker::erase(const Box& box, float* out) const {
  const int64_t channels = data_.channels, plane = data_.height * data_.width;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t y = box.top; y < box.top + box.height; ++y) {
      for (int64_t x = box.left; x < box.left + box.width; ++x) {
        const int64_t place = y * data_.width + x;
        out[channels_last_ ? place * channels + c : c * plane + place] = 0;
      }
    }
  }
}

at::Tensor ViewMaker::empty_batch(int64_t count) const {
  return at::empty({count, data_.channels, data_.height, data_.width},
                   at::TensorOptions().dtype(at::kFloat),
                   channels_last_ ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

void ViewMaker::render(const uint8_t* image, const Offset& offset, float* out) const {
  const int64_t height = data_.height, width = data_.width, channels = data_.channels;
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

at::Tensor ViewMaker::train_views(std::span<const int64_t> samples, int64_t epoch) const {
  at::Tensor batch = empty_batch(static_cast<int64_t>(samples.size()));
  const int64_t size = data_.channels * data_.height * data_.width;
  const uint8_t* images = data_.train.images.const_data_ptr<uint8_t>();
  float* out = batch.data_ptr<float>();
  if (!moves_only_) {
    PlanarImage work(data_.channels, data_.height, data_.width);
    for (size_t i = 0; i < samples.size(); ++i, out += size) {
      make_view(samples[i], epoch, work, out);
    }
    return batch;
  }
  for (const int64_t sample : samples) {
    render(images + sample * size, draw(sample, epoch), out);
    out += size;
  }
  return batch;
}

at::Tensor ViewMaker::test_views(int64_t first, int64_t count, EvalSplit split) const {
  at::Tensor batch = empty_batch(count);
  const int64_t size = data_.channels * data_.height * data_.width;
  const bool held_out = split == EvalSplit::Validation;
  const at::Tensor& stored = held_out ? data_.train.images : data_.test.images;
  const uint8_t* images = stored.const_data_ptr<uint8_t>();
  float* out = batch.data_ptr<float>();
  for (int64_t i = first; i < first + count; ++i, out += size) {
    render(images + (held_out ? data_.validation[static_cast<size_t>(i)] : i) * size, {}, out);
  }
  return batch;
}

}  // namespace retort::host
