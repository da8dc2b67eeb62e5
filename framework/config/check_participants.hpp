#pragma once

#include "framework/config/experiment.hpp"
#include "framework/config/section.hpp"

namespace retort::host::config {

/// Adds what is wrong with networks, views and transfers beside each other: two of one name, a
/// network that nobody uses, a view that none of them sees. `root` is the file that `experiment`
/// was read from.
void check_participants(Section& root, const Experiment& experiment);

}  // namespace retort::host::config
