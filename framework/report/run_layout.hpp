#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>

namespace retort::host {

/// Which of a phase's weights: those at its end, or those of its best epoch.
enum class SavedWeights { Last, Best };

/// The files of one run, OUT/NAME/001: the one place that knows their names. Makes and opens nothing.
///   experiment.toml      the resolved experiment, its paths absolute
///   retort.lock          plugin files with versions and SHA-256
///   metrics.jsonl        a line an epoch, without times: equal runs give equal bytes
///   run.json             results in full, versions, device, threads, seed, timings, the working
///                        directory of the start
///   summary.csv          the comparison table
///   student.safetensors  the student at the end; of several students each is NAME.safetensors
///   report.html          all of this to look at
///   owner                the program that is at work; see RunOwner
///   checkpoints/         last and best weights of each phase
///   checkpoints/resume/  states to go on with; see CheckpointStore
///   events.out.tfevents.*  for TensorBoard, with run.tensorboard
class RunLayout {
 public:
  static constexpr const char* kExperiment = "experiment.toml";
  static constexpr const char* kLock = "retort.lock";
  static constexpr const char* kMetrics = "metrics.jsonl";
  static constexpr const char* kResults = "run.json";
  static constexpr const char* kSummary = "summary.csv";
  static constexpr const char* kResultWeights = "student.safetensors";
  static constexpr const char* kPage = "report.html";
  static constexpr const char* kOwner = "owner";
  static constexpr const char* kCheckpoints = "checkpoints";
  static constexpr const char* kStates = "checkpoints/resume";
  /// What a run makes in its folder, in the order in which `check` tells it.
  static constexpr std::initializer_list<const char*> kFiles = {
      kExperiment, kLock, kMetrics, kResults, kSummary, kResultWeights, kPage, kOwner};

  explicit RunLayout(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path experiment() const { return folder_ / kExperiment; }
  std::filesystem::path lock() const { return folder_ / kLock; }
  std::filesystem::path metrics() const { return folder_ / kMetrics; }
  std::filesystem::path results() const { return folder_ / kResults; }
  std::filesystem::path summary() const { return folder_ / kSummary; }
  std::filesystem::path result_weights() const { return folder_ / kResultWeights; }
  /// NAME.safetensors: one of several students. Whatever its name, it is none of the other files,
  /// which end otherwise.
  std::filesystem::path result_weights(const std::string& student) const;
  std::filesystem::path page() const { return folder_ / kPage; }
  std::filesystem::path owner() const { return folder_ / kOwner; }
  std::filesystem::path checkpoints() const { return folder_ / kCheckpoints; }
  std::filesystem::path states() const { return folder_ / kStates; }
  /// checkpoints/alone-last.safetensors, of what weights_name() calls so.
  std::filesystem::path weights_file(const std::string& name) const;
  /// events.out.tfevents.SECONDS.PROCESS.retort.
  std::filesystem::path event_file(int64_t seconds, int64_t process) const;

  /// Whether it holds an experiment.toml, and so is a run's.
  bool is_run() const { return std::filesystem::exists(experiment()); }
  /// Throws: ConfigError where it is no run's.
  void check_is_run() const;
  /// Refuses what a run never makes, and what leads out of a folder that came from somebody else.
  /// Throws: DataError naming the first of these of its files and folders that is a link.
  void check_no_links(std::initializer_list<const char*> names) const;

 private:
  std::filesystem::path folder_;
};

/// "alone-last": the weights of a phase, as a saved state names them too; and "both+a-last", of a part of
/// what it trains, one of several networks or the own parameters of a transfer. No phase, network or
/// transfer has a "+" in its name: no two are called the same.
std::string weights_name(const std::string& phase, SavedWeights which,
                         const std::string& part = {});

/// "runs/kd/001 is no run folder: it has no experiment.toml"; how a sentence begins.
std::string no_run_text(const std::filesystem::path& folder);

/// OUT/NAME, in which the runs of an experiment are numbered, and the folder of one of them.
std::filesystem::path runs_folder(const std::filesystem::path& out, const std::string& name);
std::filesystem::path numbered_run(const std::filesystem::path& runs, int number);

/// OUT/teachers, where trained teachers are kept, and the file of one of them.
std::filesystem::path teachers_folder(const std::filesystem::path& out);
std::filesystem::path kept_teacher(const std::filesystem::path& out, const std::string& key);

}  // namespace retort::host
