#pragma once

#include "framework/config/experiment.hpp"
#include "framework/error.hpp"

namespace retort::host {

/// Runs an experiment from end to end: the teacher (loaded, kept, or trained and then kept), the
/// student alone, the student with the transfers, the run folder, and the comparison table on
/// stdout.
/// Returns Ok, or the code of the signal that stopped it; the run folder is then readable and says
/// where it stopped.
ExitCode run_experiment(const Experiment& experiment, bool json);

}  // namespace retort::host
