#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/config/section.hpp"

namespace retort::host {

struct Normalize {
  std::vector<double> mean;    // a channel each, of pixels in [0, 1]
  std::vector<double> stddev;  // "std" in the file
  Place place = {};
};

}  // namespace retort::host

namespace retort::host::config {

/// { mean = [...], std = [...] }
void read_normalize(Section section, std::optional<Normalize>& normalize);

/// Its line; "" where there is none.
std::string write_normalize(const std::optional<Normalize>& normalize);

}  // namespace retort::host::config
