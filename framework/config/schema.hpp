#pragma once

#include <vector>

#include "framework/config/section.hpp"
#include "framework/plugin/manifest.hpp"

namespace retort::host {

/// Every key of the host that an experiment file may have, as its reader declares it, in the order
/// of reading; what it starts with is its table.
std::vector<config::KeyInfo> experiment_keys();

/// The names that options of a component may not have, by its kind: the keys that the readers of an
/// experiment file take beside them, and those kept for later.
ReservedNames reserved_option_names();

}  // namespace retort::host
