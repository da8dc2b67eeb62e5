#pragma once

#include "framework/config/experiment.hpp"
#include "framework/config/section.hpp"

namespace retort::host::config {

/// Adds what is wrong with sections beside each other: a batch that is too small for a strategy, say.
/// `root` is the file that `experiment` was read from; views that nothing uses are left out of it
/// (check_views.hpp).
void check_together(Section& root, Purpose purpose, Experiment& experiment);

}  // namespace retort::host::config
