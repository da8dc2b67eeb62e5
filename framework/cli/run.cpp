#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/config/resolved.hpp"
#include "framework/report/print.hpp"
#include "framework/run/run_experiment.hpp"
#include "framework/run/saved_run.hpp"
#include "framework/run/trials.hpp"
#include "framework/train/interrupt.hpp"

namespace retort::host {
namespace {

Output output_of(const CommonOptions& common) { return common.json ? Output::Json : Output::Table; }

ExitCode resume(const ExperimentArguments& experiment, const RunArguments& arguments,
                const CommonOptions& common) {
  if (!experiment.file.empty()) {
    throw ConfigError(experiment.file + ": --resume " + arguments.resume +
                      " goes on with that run's own experiment; leave file and overrides out");
  }
  const SavedRun saved =
      load_saved_run(arguments.resume, {}, scan_for_command(common, true), Purpose::Train);
  install_signal_handlers();
  return resume_run(saved.experiment, saved.folder,
                    arguments.accept_changes ? Changes::Accept : Changes::Refuse,
                    output_of(common));
}

}  // namespace

ExitCode run_command(const ExperimentArguments& experiment, const RunArguments& arguments,
                     const CommonOptions& common) {
  if (!arguments.resume.empty()) return resume(experiment, arguments, common);
  if (experiment.file.empty()) {
    throw ConfigError("run: FILE is missing; name an experiment file, or --resume RUN");
  }
  const ExperimentFile file = read_for_command(experiment, common);
  const Experiment resolved = file.load();
  if (arguments.dry_run) {
    print_out("{}", to_toml(resolved));
    return ExitCode::Ok;
  }
  install_signal_handlers();
  if (!resolved.sweep && resolved.seeds.size() < 2) {
    return run_experiment(resolved, output_of(common));
  }
  return run_trials(file, resolved, output_of(common));
}

}  // namespace retort::host
