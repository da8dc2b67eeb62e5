#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/train/confusion.hpp"

namespace retort::host {

// What a run folder tells, read back from its files alone. The folder may come from an older version
// or from somebody else, so everything that a run writes is checked here, once, also what nobody reads
// back: numbers are finite and in their range, counts are not negative and agree, lists agree in length,
// and classes exist. What an older version did not tell, or is null, is nothing.

/// A network on the test split.
struct RecordedEvaluation {
  int64_t classes = 0;
  std::optional<double> top5;                                                 // percent
  std::optional<double> calibration_error, cross_entropy, teacher_agreement;  // shares, but nats
  std::vector<int64_t> class_correct, class_total;                            // [classes], or none
  std::optional<std::vector<ConfusionEntry>> confusion;
};

/// A row of the table at the end of a run.
struct RecordedResult {
  std::string name;
  std::string alone, teacher;  // the rows that it is measured against, by name; "": none
  std::optional<double> top1, versus_alone;  // percent, percentage points
  std::optional<double> train_seconds;
  std::optional<int64_t> parameters, multiply_adds;
  std::optional<RecordedEvaluation> evaluation;

  bool is_teacher() const { return teacher.empty(); }
};

/// run.json.
struct RunResults {
  std::string experiment, status, device, retort, libtorch;
  std::string started_in;  // working directory of the start
  std::vector<std::string> warnings;
  std::optional<uint64_t> seed;
  int64_t threads = 0;
  std::vector<std::string> classes;
  std::vector<RecordedResult> results;
  size_t results_hash = 0;  // of their text: a copy of a run has the same

  /// The network of that name, or null.
  const RecordedResult* find(const std::string& name) const;
  /// The network that the run is about: the last that is measured against itself alone, or else the
  /// last that is no teacher; null where there is none.
  const RecordedResult* find_result() const;
  /// The same of each student by its name, in the order of their first rows.
  std::vector<std::pair<std::string, const RecordedResult*>> find_results() const;
};

/// One of several networks in an epoch.
struct RecordedNetwork {
  std::string name;
  std::optional<double> top1;  // percent, on the test split
};

/// A line of metrics.jsonl.
struct RecordedEpoch {
  std::string phase;
  int64_t epoch = 0;                      // 1-based
  std::optional<double> top1;             // of the only network that learns, as above
  std::vector<RecordedNetwork> networks;  // where several learn
  std::vector<std::pair<std::string, double>> losses, metrics;
};

struct RunRecord {
  std::filesystem::path folder;
  RunResults run;
  std::vector<RecordedEpoch> metrics;  // none before the first epoch
  std::string experiment;              // experiment.toml
  std::string lock;                    // retort.lock

  std::string name() const;  // "fashion_kd/001"
};

/// Reads all of it.
/// Throws: DataError where the folder has no run.json, or a file is a link, is damaged, or says what
/// cannot be.
RunRecord read_run(const std::filesystem::path& folder);

/// Reads run.json alone.
RunResults read_results(const std::filesystem::path& folder);

/// What run.json says of the run's state, "finished" for one, and of the working directory of its
/// start; empty where it cannot be read, or does not say so.
std::string read_status(const std::filesystem::path& folder);
std::filesystem::path read_start(const std::filesystem::path& folder);

/// The same as read_results() from the text of run.json and of metrics.jsonl; messages begin with `where`.
RunResults parse_results(std::string_view text, const std::string& where);
std::vector<RecordedEpoch> parse_metrics(std::string_view text, const std::string& where);

/// The run folders that a path stands for: itself, or all below it, in the order of their numbers.
std::vector<std::filesystem::path> find_runs(const std::filesystem::path& folder);

}  // namespace retort::host
