#pragma once

#include "framework/config/experiment.hpp"
#include "framework/config/section.hpp"

namespace retort::host::config {

/// Adds the views that nothing uses: those that no network sees and, where the experiment is to be
/// trained, those that a network has beside its first one and no transfer compares. Where the command
/// line or a sweep says what transfers compare, those are no mistake of the file, and are left out of
/// the experiment. `root` is the file that it was read from.
void check_views(Section& root, Purpose purpose, Experiment& experiment);

}  // namespace retort::host::config
