#pragma once

#include <string>

#include "framework/config/experiment.hpp"

namespace retort::host {

/// The experiment as a file in which every key has its value; load_experiment reads it back to an
/// equal one.
std::string to_toml(const Experiment& experiment);

}  // namespace retort::host
