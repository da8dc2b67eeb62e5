#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "framework/config/diagnostics.hpp"
#include "framework/config/keys/sweep.hpp"
#include "framework/config/node.hpp"

namespace retort::host::config {

/// The overrides of each trial, "student.depth=14": the combinations of a grid (the last key
/// fastest), the rows of a list, or random draws, which are functions of the seed, the key and the
/// trial's number. A draw from a range is uniform between its ends, over its integers with both ends
/// where it is of integers; with `log` the logarithm is uniform.
std::vector<std::vector<std::string>> make_trials(const SweepConfig& sweep, uint64_t seed);

/// What a trial of the experiment starts from: its tree without sweep and seeds.
Node trial_tree(const Node& tree);

/// Tells which values of a sweep the experiment cannot take: sets each of them in a copy of `tree`,
/// as an override does, and asks `read` for what is then wrong. Each value, and both ends of a range,
/// is tried beside the first values of the other keys, and then every trial as it will be (of a grid
/// of more than 10,000 only the values). What is wrong without the sweep is not told again.
void check_trials(const Node& tree, const SweepConfig& sweep, uint64_t seed,
                  Diagnostics& diagnostics,
                  const std::function<Diagnostics(const Node& trial)>& read);

}  // namespace retort::host::config
