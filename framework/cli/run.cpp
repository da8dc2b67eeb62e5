#include <cstdio>
#include <filesystem>

#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/config/resolved.hpp"
#include "framework/run/run_experiment.hpp"
#include "framework/run/trials.hpp"
#include "framework/train/interrupt.hpp"

namespace retort::host {
namespace {

Output output_of(const CommonOptions& common) { return common.json ? Output::Json : Output::Table; }

ExitCode resume(const ExperimentArguments& experiment, const RunArguments& arguments,
                const CommonOptions& common) {
  namespace fs = std::filesystem;
  if (!experiment.file.empty()) {
    throw ConfigError(experiment.file + ": --resume " + arguments.resume +
                      " goes on with that run's own experiment; leave file and overrides out");
  }
  const fs::path folder = arguments.resume;
  const fs::path file = folder / "experiment.toml";
  if (!fs::exists(file)) {
    throw ConfigError(arguments.resume +
                      " is no run folder: it has no experiment.toml; name one such as "
                      "runs/NAME/001");
  }
  install_signal_handlers();
  return resume_run(load_for_command({file.string(), {}}, common), folder, arguments.accept_changes,
                    output_of(common));
}

}  // namespace

ExitCode run_command(const ExperimentArguments& experiment, const RunArguments& arguments,
                     const CommonOptions& common) {
  if (!arguments.resume.empty()) return resume(experiment, arguments, common);
  if (experiment.file.empty()) {
    throw ConfigError("run: FILE is missing; name an experiment file, or --resume RUN");
  }
  const Experiment resolved = load_for_command(experiment, common);
  if (arguments.dry_run) {
    std::fputs(to_toml(resolved).c_str(), stdout);
    return ExitCode::Ok;
  }
  install_signal_handlers();
  if (!resolved.sweep && resolved.seeds.size() < 2) {
    return run_experiment(resolved, output_of(common));
  }
  const auto load = [&](const std::vector<std::string>& overrides) {
    ExperimentArguments more = experiment;
    more.overrides.insert(more.overrides.end(), overrides.begin(), overrides.end());
    return load_for_command(more, common);
  };
  return run_trials(resolved, load, common.json);
}

}  // namespace retort::host
