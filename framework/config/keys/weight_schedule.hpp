#pragma once

#include <string>

#include "framework/config/section.hpp"

namespace retort::host {

/// A weight that moves linearly from `from` (up to epoch `begin`) to `to` (from epoch `end` on). A
/// number: from == to. Epochs are counted from 0 and may be fractions: the start of the second
/// epoch is 1.
struct WeightSchedule {
  double from = 1;
  double to = 1;
  double begin_epoch = 0;
  double end_epoch = 0;
};

}  // namespace retort::host

namespace retort::host::config {

/// weight = 0.5, or weight = { from = 100, to = 0, epochs = [1, 2] }
void read_weight(Section& section, WeightSchedule& weight);

std::string write_weight(const WeightSchedule& weight);

}  // namespace retort::host::config
