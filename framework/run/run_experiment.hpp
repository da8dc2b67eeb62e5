#pragma once

#include "framework/base/error.hpp"
#include "framework/config/experiment.hpp"

namespace retort::host {

/// What a run prints on stdout at its end.
enum class Output { Table, Json, None };

/// Whether a run goes on although something that decides about its bits has changed.
enum class Changes { Refuse, Accept };

/// Runs an experiment from end to end: its teachers (loaded, kept, or trained and then kept), its other
/// phases, the run folder, and the comparison table on stdout.
/// Returns Ok, or the code of the signal that stopped it; the run folder then holds the state to go
/// on with.
ExitCode run_experiment(const Experiment& experiment, Output output);

/// Goes on with the run of a folder, whose experiment.toml `experiment` is, from the newest state
/// that verifies; ends with the bytes that the run would have ended with. What else decides about
/// bits (threads, processor, LibTorch, plugins, data) must be as it was, unless changes are accepted.
/// A finished run is left as it is.
/// Throws: ConfigError naming what differs; DataError when no state is whole.
ExitCode resume_run(const Experiment& experiment, const std::filesystem::path& folder,
                    Changes changes, Output output);

}  // namespace retort::host
