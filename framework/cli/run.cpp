#include <cstdio>

#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/run/run_experiment.hpp"
#include "framework/train/interrupt.hpp"

namespace retort::host {

void add_run_command(CLI::App& app, const CommonOptions& common, ExitCode& exit_code) {
  struct Arguments {
    std::string file;
    std::vector<std::string> overrides;
    bool dry_run = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("run", "Train teacher, baseline and student; write a run folder");
  command->add_option("FILE", arguments->file, "Experiment file (TOML)")->required();
  command->add_option("KEY=VALUE", arguments->overrides,
                      "Overrides: student.depth=14 train.epochs=1");
  command->add_flag("--dry-run", arguments->dry_run, "Print the resolved experiment and stop");
  command->callback([&common, &exit_code, arguments] {
    const Experiment experiment = load_for_command(arguments->file, arguments->overrides, common);
    if (arguments->dry_run) {
      std::fputs(resolved_text(experiment).c_str(), stdout);
      return;
    }
    install_signal_handlers();
    exit_code = run_experiment(experiment, common.json);
  });
}

}  // namespace retort::host
