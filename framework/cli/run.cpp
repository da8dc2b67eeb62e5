#include <cstdio>

#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/config/resolved.hpp"
#include "framework/run/run_experiment.hpp"
#include "framework/train/interrupt.hpp"

namespace retort::host {

ExitCode run_command(const ExperimentArguments& arguments, bool dry_run,
                     const CommonOptions& common) {
  const Experiment experiment = load_for_command(arguments, common);
  if (dry_run) {
    std::fputs(to_toml(experiment).c_str(), stdout);
    return ExitCode::Ok;
  }
  install_signal_handlers();
  return run_experiment(experiment, common.json);
}

}  // namespace retort::host
