#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/report/progress.hpp"
#include "framework/report/run_folder.hpp"
#include "framework/report/tensorboard.hpp"
#include "framework/run/evaluations.hpp"
#include "framework/run/run_experiment.hpp"

namespace retort::host {

/// A run on its way: its folder from the moment on when everything fits, and what it has come to.
class RunInProgress {
 public:
  explicit RunInProgress(const Experiment& experiment)
      : experiment_(experiment), session_(experiment), phases_(phases_of(experiment)) {}

  /// Goes on in a folder. Before go().
  void resume(const std::filesystem::path& folder, Changes changes);
  ExitCode go(Output output);

 private:
  void prepare_networks();
  void try_phases();
  void open_folder();
  bool run_phase(size_t position);
  bool train(size_t position);
  Phase make_prepared_phase(size_t position);
  void end_phase(size_t position, const Phase& phase, const Loop& loop);
  void watch(Loop& loop, const PhaseSpec& spec, const Phase& phase);
  void save(const Loop& loop, const PhaseSpec& spec, PhaseEnd end);
  void save_results() const;
  RunFacts facts(const std::string& status) const;
  void finish(Output output);
  ExitCode stop();
  void mark_failed(const std::string& reason);

  const Experiment& experiment_;
  const Session session_;
  const std::vector<PhaseSpec> phases_;
  std::unique_ptr<RunFolder> folder_;
  std::optional<RunStates> states_;
  ResumePoint start_;
  Networks networks_;  // as the phases leave them
  TeacherOrigins origins_;
  bool judged_ = false;  // the teachers
  Evaluations evaluations_{session_};
  ResultTable table_;
  std::optional<EventFile> events_;
  ProgressLine progress_;
};

}  // namespace retort::host
