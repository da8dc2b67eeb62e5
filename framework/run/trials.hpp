#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/error.hpp"

namespace retort::host {

/// One run of a sweep or of several seeds.
struct Trial {
  std::vector<std::string> overrides;  // "student.depth=14"
  uint64_t seed = 1;
};

/// All runs that an experiment asks for: the combinations of a grid, the rows of a list, or random
/// draws (functions of the first seed), each with every seed.
std::vector<Trial> trials_of(const Experiment& experiment);

/// Runs the trials one after the other, each in a run folder of its own below OUT/NAME. A trial
/// whose folder is there is not repeated when finished, and resumed when it was stopped; one that
/// fails is told and does not stop the rest. Prints the table over all of them.
/// `load` gives the experiment with more overrides.
/// Returns Ok, RunFailed when a trial failed, or the code of the signal that stopped it.
ExitCode run_trials(
    const Experiment& experiment,
    const std::function<Experiment(const std::vector<std::string>& overrides)>& load, bool json);

}  // namespace retort::host
