#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>

#include "framework/config/experiment.hpp"
#include "framework/guard/crash_mark.hpp"
#include "framework/guard/host_files.hpp"
#include "framework/report/comparison.hpp"
#include "framework/train/trainer.hpp"

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

/// The folder of one run: OUT/NAME/001. Readable at any moment: every file is written whole, or a
/// line at a time.
///   experiment.toml      the resolved experiment, its paths absolute
///   retort.lock          plugin files with versions and SHA-256
///   metrics.jsonl        a line an epoch, without times: equal runs give equal bytes
///   checkpoints/         last and best student
///   student.safetensors  the student at the end
///   run.json             results in full, versions, device, threads, seed, timings, the working
///                        directory of the start
///   summary.csv          the comparison table
///   report.html          all of this to look at
///   events.out.tfevents.*  for TensorBoard, with run.tensorboard
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
  ~RunFolder();

  const std::filesystem::path& path() const { return path_; }
  /// The working directory in which the run was started; "" in folders of version 0.1.
  const std::string& started_in() const { return started_in_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }

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
  void own();

  std::filesystem::path path_;
  std::string started_in_;
  int lock_ = -1;
  std::unique_ptr<HostFile> kept_lock_;
  std::unique_ptr<CrashMark> mark_;  // while the status is "running"
};

/// Refuses what a run never makes, and what leads out of a folder that came from somebody else.
/// Throws: DataError naming the first of these files and folders of a run folder that is a link.
void refuse_links(const std::filesystem::path& folder, std::initializer_list<const char*> names);

}  // namespace retort::host
