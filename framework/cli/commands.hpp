#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/base/error.hpp"

namespace retort::host {

// One function a command, in a file of its name; arguments.cpp fills what they take from the command
// line. They print results on stdout, and throw Error when they fail.

/// What is common to all commands: where plugins are found, and how results are printed.
struct CommonOptions {
  std::vector<std::string> plugin_folders;  // before the usual ones
  bool json = false;
};

/// An experiment file and the keys that the command line sets: "student.depth=14".
struct ExperimentArguments {
  std::string file;
  std::vector<std::string> overrides;
};

inline constexpr const char* kAllPhases = "all";

struct BenchArguments {
  ExperimentArguments experiment;
  int64_t steps = 40;
  int64_t warmup = 5;
  std::string phase = kAllPhases;  // or the name of one
  std::string export_folder;
};

struct RunArguments {
  bool dry_run = false;
  std::string resume;  // a run folder; "" for a new run
  bool accept_changes = false;
};

/// The strategy and its options, "temperature=2", as in an experiment file; also progress, epoch,
/// epochs and seed.
struct ProbeArguments {
  std::string strategy;
  std::vector<std::string> settings;
  std::string inputs, modules, out;  // files; "" where not given
  bool list = false;
};

ExitCode run_command(const ExperimentArguments& experiment, const RunArguments& arguments,
                     const CommonOptions& common);
/// Works in a child process, so that every end of it is told.
ExitCode check_command(const ExperimentArguments& arguments, const CommonOptions& common);
/// `file` may be a run folder, or a folder of runs.
void eval_command(const ExperimentArguments& arguments, const CommonOptions& common);
void bench_command(const BenchArguments& arguments, const CommonOptions& common);
void probe_command(const ProbeArguments& arguments, const CommonOptions& common);
/// A table over runs, grouped by everything but the seed; also a page where `html` names a file.
/// A folder of runs stands for those in it.
struct CompareArguments {
  std::vector<std::string> runs;
  bool csv = false;
  std::string html;
};
void compare_command(const CompareArguments& arguments, const CommonOptions& common);
/// All run folders below a folder, with result and state.
void list_runs_command(const std::string& folder, const CommonOptions& common);
/// `kind` is "strategy", "model" or "dataset", or "" for all of them; `markdown` prints the page of
/// docs/ instead.
void list_command(const std::string& kind, bool markdown, const CommonOptions& common);
/// `name` is a component, a plugin file, or "experiment" for the keys of an experiment file.
/// `settings` build a model: its options, `input` and `classes`.
void inspect_command(const std::string& name, const std::vector<std::string>& settings,
                     const CommonOptions& common);
/// Writes the trained students of a run as exported programs: NAME.pt2 beside NAME.safetensors, or `out`.
void export_command(const std::string& run, const std::string& out, const CommonOptions& common);
/// What a file of torch.export holds: inputs, outputs, parameters, operators, taps.
void inspect_program(const std::string& file, const CommonOptions& common);

}  // namespace retort::host
