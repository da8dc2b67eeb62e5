#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/section.hpp"

namespace retort::host {

/// One step of augmentation, in order. Rotations turns copy k of a sample by k * 90 degrees
/// counter-clockwise.
struct Augment {
  enum class Kind { Crop, Flip, RandAugment, Erase, Rotations } kind = Kind::Flip;
  int64_t padding = 0;     // crop(padding): pixels of zero bytes on each side
  int64_t operations = 2;  // randaugment(operations, magnitude)
  int64_t magnitude = 9;   // of 30
  double probability = 0;  // erase(probability)
  Place place = {};
};

/// A step of augmentation as a file names it: "randaugment(2, 9)".
std::string augment_text(const Augment& step);

}  // namespace retort::host

namespace retort::host::config {

/// augment = ["crop(2)", "flip"]
void read_augment(Section& section, std::vector<Augment>& steps);

std::string write_augment(const std::vector<Augment>& steps);

}  // namespace retort::host::config
