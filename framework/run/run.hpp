#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/report/comparison.hpp"
#include "framework/report/progress.hpp"
#include "framework/report/run_folder.hpp"
#include "framework/report/tensorboard.hpp"
#include "framework/run/checkpoint.hpp"
#include "framework/run/machine_facts.hpp"
#include "framework/run/networks.hpp"
#include "framework/run/phases.hpp"
#include "framework/run/run_experiment.hpp"
#include "framework/run/session.hpp"
#include "framework/run/teacher_store.hpp"

namespace retort::host {

/// One run: its parts in the order in which a user sees them happen.
class Run {
 public:
  explicit Run(const Experiment& experiment)
      : experiment_(experiment), session_(experiment), phases_(phases_of(experiment)) {}

  /// Goes on in a folder. Before go().
  void resume(const std::filesystem::path& folder, bool accept_changes);
  ExitCode go(Output output);

 private:
  void print_header() const;
  void print_network(Network& network, const std::string& origin) const;
  void prepare_networks();
  std::string prepare_teacher();
  void open_folder();
  bool train_all();
  void judge_teacher(bool judged_before);
  void warn(const std::string& text);
  bool train(size_t position);
  void add_row(const PhaseSpec& spec, Network& network, const TrainingState& state);
  bool is_behind(size_t position) const;
  Network& learner_of(const PhaseSpec& spec);
  void save_weights(const std::string& phase, SavedWeights which, const Network& network);
  RunFacts facts(const std::string& status) const;
  void mark_failed(const std::string& reason);
  void load_saved(const std::string& phase, Network& network);
  void evaluate_all();
  void finish(Output output);

  const Experiment& experiment_;
  Session session_;
  const std::vector<PhaseSpec> phases_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<CheckpointStore> states_;
  std::optional<CheckpointStore::Found> resumed_;
  size_t resumed_at_ = 0;  // the position of its phase
  MachineFacts machine_;
  std::map<std::string, std::string> files_;  // weights in the folder that a resumed run needs
  std::optional<EventFile> events_;
  Networks networks_;
  std::unique_ptr<TeacherStore> store_;
  std::optional<Accuracy> teacher_accuracy_;
  std::optional<Evaluation> teacher_evaluation_;
  std::vector<std::string> warnings_;
  std::vector<ComparisonRow> rows_;
  ProgressLine progress_;
};

}  // namespace retort::host
