#include "framework/run/check_images.hpp"

#include <string>

#include "framework/config/diagnostics.hpp"
#include "framework/config/keys/augment.hpp"

namespace retort::host {
namespace {

std::string channels_of(const ImageData& data) {
  return data.id + " has " + std::to_string(data.channels) +
         (data.channels == 1 ? " channel" : " channels");
}

void check_normalize(const std::string& section, const std::optional<Normalize>& normalize,
                     const ImageData& data, Diagnostics& mistakes) {
  if (!normalize || normalize->mean.size() == static_cast<size_t>(data.channels)) return;
  mistakes.add(normalize->place, section + ".normalize",
               "mean and std have " + std::to_string(normalize->mean.size()) + " values; " +
                   channels_of(data) + ", and each needs a value");
}

void check_augment(const std::string& key, const std::vector<Augment>& steps, const ImageData& data,
                   Diagnostics& mistakes) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto refuse = [&](const std::string& what) {
      mistakes.add(steps[i].place,
                   key + "[" + std::to_string(i) + "] \"" + augment_text(steps[i]) + "\"",
                   what + "; take it out of the list");
    };
    const bool is_randaugment = steps[i].kind == Augment::Kind::RandAugment;
    if (is_randaugment && data.channels != 1 && data.channels != 3)
      refuse("is defined for images of 1 or 3 channels; " + channels_of(data));
    if (steps[i].kind == Augment::Kind::Rotations && data.height != data.width) {
      refuse("is defined for square images; those of " + data.id + " are " +
             std::to_string(data.height) + " x " + std::to_string(data.width));
    }
  }
}

}  // namespace

void check_images(const Experiment& experiment, const ImageData& data, Diagnostics& mistakes) {
  check_normalize("data", experiment.data.normalize, data, mistakes);
  for (const NetworkConfig& student : experiment.students)
    check_normalize(student.key, student.normalize, data, mistakes);
  for (const NetworkConfig& teacher : experiment.teachers)
    check_normalize(teacher.key, teacher.normalize, data, mistakes);
  check_augment("data.augment", experiment.data.augment, data, mistakes);
  for (const ViewConfig& view : experiment.data.views) {
    if (!view.like.empty()) continue;  // told of the view it is like
    check_augment("data.views." + view.name + ".augment", view.augment, data, mistakes);
  }
}

}  // namespace retort::host
