#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/section.hpp"

namespace retort::host {

/// The learning rate over training, after a linear warm-up. Written "cosine" or
/// { name = "multistep", milestones = [150, 180], gamma = 0.1, warmup_epochs = 1 }.
struct ScheduleConfig {
  enum class Kind { Constant, Step, Multistep, Cosine } kind = Kind::Constant;
  double warmup_epochs = 0;
  double gamma = 0.1;        // step, multistep: factor
  int64_t step_epochs = 30;  // step: epochs between two drops
  std::vector<int64_t>
      milestones;  // multistep: epochs (0-based count of finished epochs) at which the rate drops
  double min_lr = 0;  // cosine: the rate at the end
};

}  // namespace retort::host

namespace retort::host::config {

void read_schedule(Section section, ScheduleConfig& schedule);

/// The table in braces.
std::string write_schedule(const ScheduleConfig& schedule);

}  // namespace retort::host::config
