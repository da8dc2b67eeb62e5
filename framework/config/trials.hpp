#pragma once

#include <functional>

#include "framework/config/diagnostics.hpp"
#include "framework/config/node.hpp"

namespace retort::host::config {

/// Tells which values of a sweep the experiment cannot take: sets each of them in a copy of `tree`,
/// as an override does, and asks `read` for what is then wrong. A grid's or random draw's value is
/// tried beside the first values of the other keys, a list's beside those of its own trial. What is
/// wrong without the sweep is not told again.
void check_trials(const Node& tree, const SweepConfig& sweep, Diagnostics& diagnostics,
                  const std::function<Diagnostics(const Node& trial)>& read);

}  // namespace retort::host::config
