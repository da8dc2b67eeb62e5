#pragma once

#include <string>

#include "framework/config/section.hpp"

namespace retort::host {
struct Experiment;
}

namespace retort::host::config {

/// seed = 1, or seeds = [1, 2, 3], of which the first is then `experiment.seed` too.
void read_seeds(Section& root, Experiment& experiment);

std::string write_seeds(const Experiment& experiment);

}  // namespace retort::host::config
