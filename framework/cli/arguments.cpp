#include "framework/cli/arguments.hpp"

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>  // seconds to compile: here only

#include <sstream>
#include <string_view>

#include "framework/base/suggest.hpp"
#include "framework/cli/commands.hpp"
#include "framework/guard/last_words.hpp"
#include "framework/report/log.hpp"
#include "framework/report/print.hpp"

namespace retort::host {
namespace {

/// The command line as CLI11 fills it; `run` does what the command that was named stands for.
struct CommandLine {
  CommonOptions common;
  std::string log_format;  // asks_for_json_log() has read it
  ExperimentArguments experiment;
  BenchArguments bench;
  CompareArguments compare;
  std::string runs_folder = "runs";
  ProbeArguments probe;
  std::string name;                   // of what to inspect, or the run to export
  std::string out;                    // where to
  std::vector<std::string> settings;  // to build it with
  std::string kind;                   // of what to list
  bool markdown = false;
  RunArguments run;
  ExitCode exit_code = ExitCode::Ok;
};

void take_experiment(CLI::App& command, ExperimentArguments& arguments, const char* target,
                     const char* help) {
  command.add_option(target, arguments.file, help)->required();
  command.add_option("KEY=VALUE", arguments.overrides,
                     "Overrides: student.depth=14 train.epochs=1");
}

void add_run(CLI::App& app, CommandLine& line) {
  CLI::App* run =
      app.add_subcommand("run", "Train teacher, baseline and student; write a run folder");
  run->add_option("FILE", line.experiment.file, "Experiment file (TOML)");
  run->add_option("KEY=VALUE", line.experiment.overrides,
                  "Overrides: student.depth=14 train.epochs=1");
  run->add_option("--resume", line.run.resume,
                  "Go on with the run of this folder, in place of FILE");
  run->add_flag("--accept-changes", line.run.accept_changes,
                "Resume although threads, processor, LibTorch, a plugin or the data changed");
  run->add_flag("--dry-run", line.run.dry_run, "Print the resolved experiment and stop");
  run->callback([&line] { line.exit_code = run_command(line.experiment, line.run, line.common); });
}

void add_check_and_eval(CLI::App& app, CommandLine& line) {
  CLI::App* check =
      app.add_subcommand("check", "Resolve and check everything, run one step; writes nothing");
  take_experiment(*check, line.experiment, "FILE", "Experiment file (TOML)");
  check->callback([&line] { line.exit_code = check_command(line.experiment, line.common); });

  CLI::App* eval =
      app.add_subcommand("eval", "Accuracy of the saved networks of a run or an experiment file");
  take_experiment(*eval, line.experiment, "RUN|FILE",
                  "Run folder, folder of runs, or experiment file whose networks have weights");
  eval->callback([&line] { eval_command(line.experiment, line.common); });
}

void add_lists(CLI::App& app, CommandLine& line) {
  CLI::App* list = app.add_subcommand("ls", "List the installed strategies, models and datasets");
  list->add_option("KIND", line.kind, "Only these")
      ->check(CLI::IsMember({"strategy", "model", "dataset", "runs"}));
  list->add_option("FOLDER", line.runs_folder, "Where run folders lie (default runs)");
  list->add_flag("--markdown", line.markdown, "Print the kind's page of docs/");
  list->callback([&line] {
    if (line.kind == "runs") return list_runs_command(line.runs_folder, line.common);
    list_command(line.kind, line.markdown, line.common);
  });

  CLI::App* inspect = app.add_subcommand(
      "inspect",
      "Show one component, its options, and a model's counts and taps; a .pt2 file; or "
      "\"experiment\"");
  inspect
      ->add_option(
          "NAME", line.name,
          "A component's id, a plugin file, an exported program (.pt2), or \"experiment\": "
          "every key of a file")
      ->required();
  inspect->add_option("KEY=VALUE", line.settings,
                      "Build a model so: depth=56 'input=[3,224,224]' classes=1000");
  inspect->callback([&line] { inspect_command(line.name, line.settings, line.common); });
}

void add_compare(CLI::App& app, CommandLine& line) {
  CLI::App* compare = app.add_subcommand(
      "compare", "A table over runs: mean and deviation over seeds, gains, sizes");
  compare->add_option("RUN", line.compare.runs, "Run folders, or folders of runs")->required();
  compare->add_flag("--csv", line.compare.csv, "Print CSV");
  compare->add_option("--html", line.compare.html,
                      "Write a page with tables and curves to this file");
  compare->callback([&line] { compare_command(line.compare, line.common); });
}

void add_export(CLI::App& app, CommandLine& line) {
  CLI::App* write = app.add_subcommand(
      "export", "Write a run's student as the exported program it came from, with its weights");
  write->add_option("RUN", line.name, "Run folder")->required();
  write->add_option("--out", line.out, "The .pt2 file (default: student.pt2 in the run folder)");
  write->callback([&line] { export_command(line.name, line.out, line.common); });
}

void add_probe(CLI::App& app, CommandLine& line) {
  CLI::App* probe = app.add_subcommand(
      "probe", "Run one strategy on tensors from a file: its loss and all gradients");
  ProbeArguments& arguments = line.probe;
  probe->add_option("STRATEGY", arguments.strategy, "A strategy's id")->required();
  probe->add_option(
      "KEY=VALUE", arguments.settings,
      "Its options, and progress, epoch, epochs, train_count, seed: temperature=2 epoch=3. Where "
      "both have a name: option.seed=2, probe.seed=3");
  probe->add_option("--inputs", arguments.inputs,
                    "Tensors (safetensors, float32 or float64): student.logits, teacher.logits, "
                    "labels, indices, train_labels, student.features.0 .., and named draws");
  probe->add_option("--modules", arguments.modules, "The strategy's own weights by name");
  probe->add_option(
      "--out", arguments.out,
      "Where to write loss, student.logits.grad, NAME.grad .., and its buffers before "
      "(NAME) and after (NAME.after)");
  probe->add_flag("--list", arguments.list, "Print inputs, draws and modules with their shapes");
  probe->callback([&line] { probe_command(line.probe, line.common); });
}

void add_bench(CLI::App& app, CommandLine& line) {
  CLI::App* bench =
      app.add_subcommand("bench", "Images per second of each phase, and where the time goes");
  take_experiment(*bench, line.bench.experiment, "FILE", "Experiment file (TOML)");
  bench->add_option("--steps", line.bench.steps, "Steps measured")->check(CLI::PositiveNumber);
  bench->add_option("--warmup", line.bench.warmup, "Steps before")->check(CLI::NonNegativeNumber);
  bench->add_option("--phase", line.bench.phase,
                    "Which to measure, by name: teacher, alone, distil, or one of the file's "
                    "(default all)");
  bench->add_option("--export", line.bench.export_folder,
                    "Write the teacher and the student's start values here, for other programs");
  bench->callback([&line] { bench_command(line.bench, line.common); });
}

/// Whether the log is to be JSON: read ahead of the rest, so that a mistake on the command line is
/// told in that format too.
bool asks_for_json_log(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--log-format=json") return true;
    if (word == "--log-format" && i + 1 < argc && std::string_view(argv[i + 1]) == "json") {
      return true;
    }
  }
  return false;
}

/// What may be meant by a command or option that there is not; "" where nothing is near.
std::string meant_word(const CLI::App& app) {
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  if (unknown.empty()) return "";
  std::vector<std::string> known;
  if (!unknown.front().starts_with("-")) {
    if (!app.get_subcommands().empty()) return "";
    for (const CLI::App* command : app.get_subcommands(nullptr))
      known.push_back(command->get_name());
  } else {
    std::vector<const CLI::App*> apps = {&app};
    for (const CLI::App* command : app.get_subcommands()) apps.push_back(command);
    for (const CLI::App* each : apps) {
      for (const CLI::Option* option : each->get_options()) {
        if (!option->get_lnames().empty()) known.push_back("--" + option->get_lnames().front());
      }
    }
  }
  const std::string word = unknown.front().substr(0, unknown.front().find('='));
  const std::string meant = nearest(word, known);
  return meant.empty() ? "" : "\"" + word + "\": did you mean \"" + meant + "\"?";
}

/// Prints the help that was asked for, or what is wrong.
ExitCode tell(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream help, mistake;
  app.exit(error, help, mistake);
  if (error.get_exit_code() == 0) {
    print_out("{}", help.str());
    return ExitCode::Ok;
  }
  std::string message = mistake.str();
  while (message.ends_with('\n')) message.pop_back();
  if (const std::string meant = meant_word(app); !meant.empty()) message = meant + "\n" + message;
  say_error(message);
  return ExitCode::Config;
}

}  // namespace

ExitCode run_arguments(int argc, char** argv) {
  CLI::App app("Distils a trained network (the teacher) into a small one (the student).", "retort");
  app.require_subcommand(0, 1);  // checked below: an unknown command is then told by its name
  app.set_version_flag("--version", "retort " RETORT_VERSION ", LibTorch " RETORT_TORCH_VERSION);
  if (asks_for_json_log(argc, argv)) log_as_json();
  CommandLine line;
  app.add_option("--plugins", line.common.plugin_folders,
                 "Folder of plugins, searched before the usual ones")
      ->allow_extra_args(false);  // what follows is not a second folder
  app.add_flag("--json", line.common.json, "Print results as JSON");
  CLI::Option* quiet = app.add_flag_callback(
      "-q,--quiet", [] { spdlog::set_level(spdlog::level::warn); },
      "Only warnings, errors, results");
  app.add_flag_callback(
         "-v,--verbose", [] { spdlog::set_level(spdlog::level::debug); }, "Log each file written")
      ->excludes(quiet);
  app.add_option("--log-format", line.log_format,
                 "How progress, log and errors are written on stderr; json: an object a line")
      ->check(CLI::IsMember({"text", "json"}));
  app.fallthrough();
  add_run(app, line);
  add_check_and_eval(app, line);
  add_lists(app, line);
  add_compare(app, line);
  add_bench(app, line);
  add_export(app, line);
  add_probe(app, line);
  for (CLI::App* command : app.get_subcommands(nullptr)) {
    command->preparse_callback([command](size_t) { set_command(command->get_name().c_str()); });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return tell(app, error);
  }
  if (app.get_subcommands().empty()) {
    say_error(logs_json() ? "no command is named; retort --help lists them" : app.help());
    return ExitCode::Config;
  }
  return line.exit_code;
}

}  // namespace retort::host
