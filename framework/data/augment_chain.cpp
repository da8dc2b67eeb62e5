#include "framework/data/augment_chain.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "framework/base/error.hpp"
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

void move_on(Offset& offset, const Augment& step, const std::array<uint32_t, 4>& words) {
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

void rand_augment(const Augment& step, const StepWords& words, PlanarImage& image) {
  for (int64_t i = 0; i < step.operations; ++i) {
    const auto word = words.block(static_cast<uint64_t>(i));
    const auto operation = (uint64_t{word[0]} * kAugmentOperations) >> 32;
    apply(static_cast<AugmentOperation>(operation), step.magnitude, (word[1] & 1) != 0, image);
  }
}

void check_step(const Augment& step, size_t place, size_t count, const SourceFacts& images,
                const std::string& key) {
  const std::string entry = key + "[" + std::to_string(place) + "]: ";
  if (step.kind == Augment::Kind::RandAugment && images.channels != 1 && images.channels != 3) {
    throw ConfigError(entry + "randaugment is defined for images of 1 or 3 channels; " + images.id +
                      " has " + std::to_string(images.channels) + "; take it out of the list");
  }
  if (step.kind == Augment::Kind::Rotations && images.height != images.width) {
    throw ConfigError(entry + "rotations is defined for square images; those of " + images.id +
                      " are " + std::to_string(images.height) + " x " +
                      std::to_string(images.width) + "; take it out of the list");
  }
  if (step.kind == Augment::Kind::Erase && place + 1 < count) {
    throw ConfigError(entry + "erase is step " + std::to_string(place + 1) + " of " +
                      std::to_string(count) + "; it blanks the normalised image, so put it last");
  }
}

}  // namespace

AugmentChain::AugmentChain(std::vector<Augment> steps, const SourceFacts& images,
                           const std::string& key)
    : steps_(std::move(steps)),
      only_moves_(std::all_of(steps_.begin(), steps_.end(), moves)),
      turns_(std::any_of(steps_.begin(), steps_.end(), [](const Augment& step) {
        return step.kind == Augment::Kind::Rotations;
      })) {
  for (size_t i = 0; i < steps_.size(); ++i) check_step(steps_[i], i, steps_.size(), images, key);
}

Offset AugmentChain::draw_move(const Philox& random, int64_t sample) const {
  Offset offset;
  uint64_t step = 0;
  for (const Augment& augment : steps_)
    move_on(offset, augment, random.block(static_cast<uint64_t>(sample), step++));
  return offset;
}

Augmented AugmentChain::apply(const Philox& random, int64_t sample, int64_t copy,
                              const uint8_t* image, PlanarImage& work) const {
  Augmented view{image, {}, {}};
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Augment& step = steps_[i];
    const StepWords words{random, static_cast<uint64_t>(sample), i};
    if (moves(step)) {
      move_on(view.offset, step, words.block(0));
    } else if (step.kind == Augment::Kind::Erase) {
      if (words.block(0)[0] * 0x1.0p-32 < step.probability) {
        view.erased = draw_erased_box(work.height, work.width,
                                      [&](uint64_t attempt) { return words.block(1 + attempt); });
      }
    } else {
      move_image(view.image, view.offset, work);
      if (step.kind == Augment::Kind::RandAugment) {
        rand_augment(step, words, work);
      } else {
        turn(work, static_cast<int>(copy % 4));
      }
      view = {work.pixels.data(), {}, {}};
    }
  }
  return view;
}

void move_image(const uint8_t* image, const Offset& offset, PlanarImage& work) {
  const int64_t height = work.height, width = work.width;
  uint8_t* out = work.scratch.data();
  for (int64_t row = 0; row < work.channels * height; ++row) {
    const int64_t from_y = row % height + offset.y;
    const bool inside = from_y >= 0 && from_y < height;
    const uint8_t* from = image + (row + offset.y) * width;
    for (int64_t x = 0; x < width; ++x) {
      const int64_t from_x = offset.flip ? width - 1 - x - offset.x : x + offset.x;
      *out++ = inside && from_x >= 0 && from_x < width ? from[from_x] : uint8_t{0};
    }
  }
  work.pixels.swap(work.scratch);
}

}  // namespace retort::host
