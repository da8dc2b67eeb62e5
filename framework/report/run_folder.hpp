#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "framework/config/experiment.hpp"
#include "framework/guard/crash_mark.hpp"
#include "framework/report/comparison.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/report/run_owner.hpp"
#include "framework/train/loop.hpp"

namespace retort::host {

/// What a run ran on, and how it ended.
struct RunFacts {
  std::string device;
  int64_t threads = 0;
  std::string status = "running";             // or "finished", "stopped by a signal", "failed: .."
  std::vector<std::string> class_names = {};  // of the data set
  std::string started_in = {};  // working directory of the start; "" where it is not known
  std::vector<std::string> warnings = {};  // about the results
};

/// The results as JSON, as run.json holds them.
std::string results_json(const Experiment& experiment, const RunFacts& facts,
                         const std::vector<ComparisonRow>& rows);

/// Writes the folder of one run, RunLayout, and owns it. It can be read at any moment: every file is
/// written whole, or a line at a time.
class RunFolder {
 public:
  /// Creates the next free number below OUT/NAME.
  /// Throws: EnvironmentError when the folder cannot be written.
  explicit RunFolder(const Experiment& experiment);
  /// Opens the folder of a run that is to go on.
  /// Throws: ConfigError when it is none; DataError where something in it is a link, which a run never
  /// makes; EnvironmentError when a running program owns it.
  explicit RunFolder(std::filesystem::path path);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const RunLayout& layout() const { return layout_; }
  const std::filesystem::path& path() const { return layout_.folder(); }
  /// The working directory in which the run was started; "" in folders of version 0.1.
  const std::string& started_in() const { return started_in_; }

  /// metrics.jsonl: its size, and what was appended behind a size removed.
  uint64_t metrics_bytes() const;
  void truncate_metrics(uint64_t bytes);
  /// Appends the epoch to metrics.jsonl.
  void append_metrics(const std::string& phase, const EpochReport& report);
  /// Writes run.json: what `retort ls runs` tells of this run. From status "running" on a crash of
  /// the process makes it "failed: ..".
  void write_status(const Experiment& experiment, const RunFacts& facts);
  /// Writes run.json and summary.csv.
  void write_results(const Experiment& experiment, const RunFacts& facts,
                     const std::vector<ComparisonRow>& rows);

 private:
  RunLayout layout_;
  std::string started_in_;
  std::optional<RunOwner> owner_;
  std::unique_ptr<CrashMark> mark_;  // while the status is "running"
};

}  // namespace retort::host
