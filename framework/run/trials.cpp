#include "framework/run/trials.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "framework/bridge/random.hpp"
#include "framework/config/component.hpp"
#include "framework/config/diagnostics.hpp"
#include "framework/config/node.hpp"
#include "framework/config/resolved.hpp"
#include "framework/config/suggest.hpp"
#include "framework/data/file_bytes.hpp"
#include "framework/failure.hpp"
#include "framework/report/compare.hpp"
#include "framework/report/log.hpp"
#include "framework/report/run_record.hpp"
#include "framework/run/run_experiment.hpp"
#include "framework/train/interrupt.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<std::string>;  // overrides of one trial

/// All combinations, the last key fastest.
std::vector<Values> grid_of(const SweepConfig& sweep) {
  std::vector<Values> all = {{}};
  for (const SweepKey& key : sweep.keys) {
    std::vector<Values> longer;
    for (const Values& before : all) {
      for (const std::string& value : key.values) {
        longer.push_back(before);
        longer.back().push_back(key.key + "=" + value);
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::vector<Values> list_of(const SweepConfig& sweep) {
  std::vector<Values> all(sweep.keys.empty() ? 0 : sweep.keys.front().values.size());
  for (const SweepKey& key : sweep.keys) {
    for (size_t i = 0; i < all.size(); ++i) all[i].push_back(key.key + "=" + key.values.at(i));
  }
  return all;
}

/// A number in [0, 1) with 53 random bits.
double unit_draw(const Philox& generator) {
  const auto words = generator.block(0);
  const uint64_t bits = (static_cast<uint64_t>(words[0]) << 32 | words[1]) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

std::string drawn(const SweepKey& key, double unit) {
  if (!key.min || !key.max) {
    const auto at = static_cast<size_t>(unit * static_cast<double>(key.values.size()));
    return key.values.at(at);
  }
  // An integer's range holds both its ends.
  const double top = key.integer ? *key.max + 1 : *key.max;
  const double value = key.log ? std::exp(std::log(*key.min) + unit * std::log(top / *key.min))
                               : *key.min + unit * (top - *key.min);
  if (!key.integer) return config::real_text(value);
  return std::to_string(std::min(static_cast<int64_t>(value), static_cast<int64_t>(*key.max)));
}

std::vector<Values> random_of(const SweepConfig& sweep, uint64_t seed) {
  std::vector<Values> all(static_cast<size_t>(sweep.trials));
  for (size_t trial = 0; trial < all.size(); ++trial) {
    for (const SweepKey& key : sweep.keys) {
      const Philox generator(combine_key(seed, "sweep " + key.key, trial));
      all[trial].push_back(key.key + "=" + drawn(key, unit_draw(generator)));
    }
  }
  return all;
}

std::vector<Values> values_of(const Experiment& experiment) {
  if (!experiment.sweep) return {{}};
  switch (experiment.sweep->kind) {
    case SweepConfig::Kind::Grid:
      return grid_of(*experiment.sweep);
    case SweepConfig::Kind::List:
      return list_of(*experiment.sweep);
    case SweepConfig::Kind::Random:
      break;
  }
  return random_of(*experiment.sweep, experiment.seed);
}

/// The folder of an earlier run of exactly this experiment, the newest.
std::optional<fs::path> earlier_run(const Experiment& experiment) {
  const std::string text = to_toml(experiment);
  std::optional<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(experiment.run.out / experiment.name, none)) {
    const fs::path file = entry.path() / "experiment.toml";
    if (!fs::is_regular_file(file, none)) continue;
    const FileBytes bytes = map_file(file, SIZE_MAX);
    const std::string_view kept(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (kept == text && (!found || entry.path() > *found)) found = entry.path();
  }
  return found;
}

struct Outcome {
  ExitCode code = ExitCode::Ok;
  fs::path folder;
};

Outcome run_one(const Experiment& trial) {
  const std::optional<fs::path> before = earlier_run(trial);
  if (before && fs::exists(*before / "run.json") &&
      read_run(*before).run.value("status", "") == "finished") {
    say("finished before: " + before->string());
    return {ExitCode::Ok, *before};
  }
  const ExitCode code = before ? resume_run(trial, *before, false, Output::None)
                               : run_experiment(trial, Output::None);
  return {code, earlier_run(trial).value_or("")};
}

}  // namespace

std::vector<Trial> trials_of(const Experiment& experiment) {
  std::vector<uint64_t> seeds = experiment.seeds;
  if (seeds.empty()) seeds.push_back(experiment.seed);
  std::vector<Trial> trials;
  for (const Values& values : values_of(experiment)) {
    for (const uint64_t seed : seeds) trials.push_back({values, seed});
  }
  return trials;
}

ExitCode run_trials(
    const Experiment& experiment,
    const std::function<Experiment(const std::vector<std::string>& overrides)>& load, bool json) {
  const std::vector<Trial> trials = trials_of(experiment);
  std::vector<fs::path> folders;
  size_t failed = 0;
  for (size_t i = 0; i < trials.size(); ++i) {
    Experiment trial = load(trials[i].overrides);
    trial.seeds.clear();
    trial.sweep.reset();
    trial.seed = trials[i].seed;
    say(fmt::format("trial {} of {}: {}{}seed={}", i + 1, trials.size(),
                    fmt::join(trials[i].overrides, " "), trials[i].overrides.empty() ? "" : " ",
                    trial.seed));
    try {
      const Outcome outcome = run_one(trial);
      if (outcome.code != ExitCode::Ok) return outcome.code;  // a signal: the user wants it to end
      folders.push_back(outcome.folder);
    } catch (const MistakesError& mistakes) {
      if (!experiment.sweep) throw;  // the seeds share the experiment and so its mistakes
      ++failed;
      spdlog::error("trial {} failed: {}", i + 1, mistakes.what());
    } catch (const std::exception& failure) {
      ++failed;
      spdlog::error("trial {} failed: {}", i + 1, describe_failure(failure).text);
    }
  }
  if (!folders.empty()) print_comparison(folders, json ? CompareFormat::Json : CompareFormat::Text);
  if (failed > 0) spdlog::error("{} of {} trials failed", failed, trials.size());
  return failed > 0 ? ExitCode::RunFailed : ExitCode::Ok;
}

}  // namespace retort::host
