#pragma once

#include <filesystem>
#include <string>

#include "framework/config/experiment.hpp"
#include "framework/report/comparison.hpp"
#include "framework/train/trainer.hpp"

namespace retort::host {

/// What a run ran on, and how it ended.
struct RunFacts {
  std::string device;
  int64_t threads = 0;
  bool finished = false;
};

/// The results as JSON, as run.json holds them.
std::string results_json(const Experiment& experiment, const RunFacts& facts,
                         const std::vector<ComparisonRow>& rows);

/// The folder of one run: OUT/NAME/001. Readable at any moment: every file is written whole, or a
/// line at a time.
///   experiment.toml      the resolved experiment          retort.lock    plugin files with
/// versions and SHA-256
///   metrics.jsonl        a line an epoch, without times: equal runs give equal bytes
///   checkpoints/         last and best student            student.safetensors    the student at
/// the end
///   summary.csv          the comparison table             run.json       versions, device,
/// threads, seed, timings
class RunFolder {
 public:
  /// Creates the next free number below OUT/NAME.
  /// Throws: EnvironmentError when the folder cannot be written.
  explicit RunFolder(const Experiment& experiment);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }

  /// Appends the epoch to metrics.jsonl.
  void append_metrics(const std::string& phase, const EpochReport& report);
  /// Writes run.json and summary.csv.
  void write_results(const Experiment& experiment, const RunFacts& facts,
                     const std::vector<ComparisonRow>& rows);

 private:
  std::filesystem::path path_;
};

}  // namespace retort::host
