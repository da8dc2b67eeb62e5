#include "framework/run/trials.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>

#include "framework/base/failure.hpp"
#include "framework/base/suggest.hpp"
#include "framework/config/diagnostics.hpp"
#include "framework/config/trials.hpp"
#include "framework/report/compare.hpp"
#include "framework/report/log.hpp"
#include "framework/report/run_record.hpp"
#include "framework/run/run_experiment.hpp"
#include "framework/run/saved_run.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;

/// What a trial sets, its seed included.
std::string trial_text(const std::vector<std::string>& overrides, const Experiment& trial) {
  const bool has_seed = std::any_of(overrides.begin(), overrides.end(),
                                    [](const auto& text) { return text.starts_with("seed="); });
  const std::string text = join(overrides, " ");
  if (has_seed) return text;
  return text + (text.empty() ? "" : " ") + "seed=" + std::to_string(trial.seed);
}

struct Outcome {
  ExitCode code = ExitCode::Ok;
  fs::path folder;
};

Outcome run_one(const Experiment& trial, EarlierRuns& runs) {
  const std::optional<fs::path> before = runs.find(trial);
  if (before && read_status(*before) == "finished") {
    say("finished before: " + before->string());
    return {ExitCode::Ok, *before};
  }
  const ExitCode code = before ? resume_run(trial, *before, Changes::Refuse, Output::None)
                               : run_experiment(trial, Output::None);
  return {code, runs.find(trial).value_or("")};
}

}  // namespace

std::vector<std::vector<std::string>> trials_of(const Experiment& experiment) {
  std::vector<std::vector<std::string>> values = {{}};
  if (experiment.sweep) values = config::make_trials(*experiment.sweep, experiment.seed);
  if (experiment.seeds.empty()) return values;
  std::vector<std::vector<std::string>> trials;
  for (const std::vector<std::string>& overrides : values) {
    for (const uint64_t seed : experiment.seeds) {
      trials.push_back(overrides);
      trials.back().push_back("seed=" + std::to_string(seed));
    }
  }
  return trials;
}

ExitCode run_trials(const ExperimentFile& file, const Experiment& experiment, Output output) {
  const auto trials = trials_of(experiment);
  std::vector<fs::path> folders;
  EarlierRuns runs;
  size_t failed = 0;
  for (size_t i = 0; i < trials.size(); ++i) {
    try {
      const Experiment trial = file.load_trial(trials[i]);
      say(fmt::format("trial {} of {}: {}", i + 1, trials.size(), trial_text(trials[i], trial)));
      const Outcome outcome = run_one(trial, runs);
      if (outcome.code != ExitCode::Ok) return outcome.code;  // a signal: the user wants it to end
      folders.push_back(outcome.folder);
    } catch (const MistakesError& mistakes) {
      if (!experiment.sweep) throw;  // the seeds share the experiment and so its mistakes
      ++failed;
      spdlog::error("trial {} failed: {}", i + 1, mistakes.what());
    } catch (...) {
      ++failed;
      spdlog::error("trial {} failed: {}", i + 1, current_failure().text);
    }
  }
  if (!folders.empty()) {
    print_comparison(folders, output == Output::Json ? CompareFormat::Json : CompareFormat::Text);
  }
  if (failed > 0) spdlog::error("{} of {} trials failed", failed, trials.size());
  return failed > 0 ? ExitCode::RunFailed : ExitCode::Ok;
}

}  // namespace retort::host
