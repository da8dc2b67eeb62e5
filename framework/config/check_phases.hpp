#pragma once

#include "framework/config/experiment.hpp"
#include "framework/config/section.hpp"

namespace retort::host::config {

/// Adds what is wrong with the terms of a phase beside those who learn in it, and with the phases
/// beside each other. `root` is the file that `experiment` was read from.
void check_phases(Section& root, const Experiment& experiment);

}  // namespace retort::host::config
