#pragma once

#include <string>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/experiment_file.hpp"
#include "framework/run/run_experiment.hpp"

namespace retort::host {

/// All runs that an experiment asks for, as the overrides that make each of it: the trials of its
/// sweep (config::make_trials, by the first seed), each with every seed.
std::vector<std::vector<std::string>> trials_of(const Experiment& experiment);

/// Runs the trials of an experiment one after the other, each in a run folder of its own below
/// OUT/NAME. A trial whose folder is there is not repeated when finished, and resumed when it was
/// stopped; one that fails is told and does not stop the rest. Prints the table over all of them.
/// `experiment` is what `file` holds.
/// Returns Ok, RunFailed when a trial failed, or the code of the signal that stopped it.
ExitCode run_trials(const ExperimentFile& file, const Experiment& experiment, Output output);

}  // namespace retort::host
