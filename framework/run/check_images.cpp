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

}  // namespace

void check_images(const Experiment& experiment, const ImageData& data, Diagnostics& mistakes) {
  check_normalize("data", experiment.data.normalize, data, mistakes);
  check_normalize("student", experiment.student.normalize, data, mistakes);
  if (experiment.teacher) check_normalize("teacher", experiment.teacher->normalize, data, mistakes);
  for (size_t i = 0; i < experiment.data.augment.size(); ++i) {
    const Augment& step = experiment.data.augment[i];
    if (step.kind != Augment::Kind::RandAugment || data.channels == 1 || data.channels == 3) {
      continue;
    }
    mistakes.add(step.place,
                 "data.augment[" + std::to_string(i) + "] \"" + augment_text(step) + "\"",
                 "is defined for images of 1 or 3 channels; " + channels_of(data) +
                     "; take it out of the list");
  }
}

}  // namespace retort::host
