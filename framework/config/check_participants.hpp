#pragma once

#include <string>

#include "framework/config/experiment.hpp"
#include "framework/config/section.hpp"

namespace retort::host::config {

// `root` is the file that `experiment` was read from.

/// The table of [teacher], teacher[1] or transfer[0], which was read.
const Node& find_table(const Section& root, const std::string& key);

/// Adds which network is missing.
void check_needed_networks(Section& root, const Experiment& experiment);

/// Adds what is wrong with networks and transfers beside each other: two of one name, a network that
/// nobody uses.
void check_participants(Section& root, const Experiment& experiment);

}  // namespace retort::host::config
