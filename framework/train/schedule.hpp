#pragma once

#include <cstdint>

#include "framework/config/experiment.hpp"

namespace retort::host {

/// The learning rate at a step, 0-based: a linear warm-up from 0, then the schedule. Cosine falls
/// from the warm-up's end to the last step; step and multistep drop at epochs counted from the
/// start.
double learning_rate(const TrainConfig& train, int64_t step, int64_t steps_per_epoch);

}  // namespace retort::host
