#include "framework/run/run_experiment.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <csignal>

#include "framework/base/failure.hpp"
#include "framework/base/text.hpp"
#include "framework/guard/plugin_entry.hpp"
#include "framework/report/compare.hpp"
#include "framework/report/log.hpp"
#include "framework/report/print.hpp"
#include "framework/report/progress.hpp"
#include "framework/report/report_page.hpp"
#include "framework/report/run_folder.hpp"
#include "framework/report/run_record.hpp"
#include "framework/report/tensorboard.hpp"
#include "framework/run/determinism.hpp"
#include "framework/run/evaluations.hpp"
#include "framework/run/phase_networks.hpp"
#include "framework/run/term_trial.hpp"
#include "framework/train/device.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/interrupt.hpp"

namespace retort::host {
namespace {

void say_header(const Session& session) {
  say(fmt::format("retort {}   LibTorch {}   {}   seed {}", RETORT_VERSION, RETORT_TORCH_VERSION,
                  device_text(session.placement().device, session.threads()),
                  session.experiment().seed));
  say("data      " + description(session.data()));
}

void say_network(Network& network, const std::string& origin) {
  const NetworkProfile& profile = network.profile();
  std::string line = fmt::format("{:9} {:26} {:>9} parameters   {:>6.1f} M multiply-adds   {}",
                                 network.role(), network.description(), grouped(profile.parameters),
                                 static_cast<double>(profile.multiply_adds) / 1e6, origin);
  line.erase(line.find_last_not_of(' ') + 1);
  say(line);
}

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
  void watch(Trainer& trainer, const Phase& phase);
  void save(const Trainer& trainer, const Phase& phase, PhaseEnd end);
  Network& learner_of(const PhaseSpec& spec) const {
    return spec.learner == kTeacherName ? *networks_.teacher : *networks_.student;
  }
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
  Networks networks_;     // as the phases leave them
  TeacherOrigin origin_;  // where there is a teacher
  bool judged_ = false;   // the teacher
  Evaluations evaluations_{session_};
  ResultTable table_;
  std::optional<EventFile> events_;
  ProgressLine progress_;
};

ExitCode RunInProgress::go(Output output) {
  say_header(session_);
  prepare_networks();
  open_folder();
  try {
    size_t done = 0;
    while (done < phases_.size() && run_phase(done)) ++done;
    if (done == phases_.size()) {
      finish(output);
      return ExitCode::Ok;
    }
  } catch (...) {
    mark_failed(current_failure().text);
    throw;
  }
  return stop();
}

void RunInProgress::resume(const std::filesystem::path& folder, Changes changes) {
  folder_ = std::make_unique<RunFolder>(folder);
  states_.emplace(folder_->layout(), session_);
  start_ = find_resume_point(*folder_, *states_, phases_, changes);
  table_.rows = start_.rows();
}

/// Options of models, weights, taps and set-up are checked before hours of teacher training, not after
/// them.
void RunInProgress::prepare_networks() {
  networks_ = make_networks(session_);
  if (networks_.teacher) {
    origin_ =
        find_teacher(session_, phases_, start_, states_ ? &*states_ : nullptr, *networks_.teacher);
    say_network(*networks_.teacher, origin_.text);
  }
  const auto& weights = experiment_.student.weights;
  say_network(*networks_.student, weights ? "from " + weights->string() : "");
  check_determinism(session_);
  try_phases();
}

/// Tries what is to be trained: the teacher, and the last phase.
void RunInProgress::try_phases() {
  for (const PhaseSpec& spec : phases_) {
    const bool is_tried = spec.kept ? origin_.kind == TeacherOrigin::Kind::ToTrain : spec.is_result;
    if (!is_tried) continue;
    for (const std::string& warning : try_terms(make_phase(session_, spec, networks_))) {
      spdlog::warn("{}", warning);
    }
  }
  networks_.transfers.clear();
}

void RunInProgress::open_folder() {
  if (!folder_) {
    folder_ = std::make_unique<RunFolder>(experiment_);
    states_.emplace(folder_->layout(), session_);
  }
  if (experiment_.run.tensorboard) events_.emplace(folder_->path());
  folder_->write_status(experiment_, facts("running"));
}

/// Trains a phase, unless its weights are there. Returns whether it came to its end.
bool RunInProgress::run_phase(size_t position) {
  const PhaseSpec& spec = phases_[position];
  if (networks_.teacher && spec.learner != kTeacherName && !judged_) {
    networks_.teacher->parameters().freeze();
    evaluations_.judge_teacher(*networks_.teacher, origin_, start_, table_);
    judged_ = true;
  }
  if (start_.is_behind(position)) {
    if (!spec.is_result) return true;
    renew_learner(session_, spec, networks_);  // only the results are left to write
    states_->load_weights(spec.name, learner_of(spec));
    return true;
  }
  if (spec.kept && origin_.kind == TeacherOrigin::Kind::Kept) {
    states_->save_weights(spec.name, SavedWeights::Last, learner_of(spec));
    return true;
  }
  return train(position);
}

bool RunInProgress::train(size_t position) {
  const PhaseSpec& spec = phases_[position];
  // The teacher is the one that was looked at before; a student learns once.
  if (spec.learner != kTeacherName) renew_learner(session_, spec, networks_);
  const Phase phase = make_phase(session_, spec, networks_);
  set_activity("phase " + phase.name);
  Trainer trainer(phase);
  start_.restore(position, trainer);
  watch(trainer, phase);
  if (!trainer.run()) {
    save(trainer, phase, PhaseEnd::Open);
    return false;
  }
  table_.add(spec, phase.student(), trainer.state());
  states_->save_weights(phase.name, SavedWeights::Last, phase.student());
  if (spec.kept) origin_.store->save(phase.student(), table_.rows.back().accuracy);
  save(trainer, phase, PhaseEnd::Reached);
  return true;
}

/// What is told and kept of a training while it runs.
void RunInProgress::watch(Trainer& trainer, const Phase& phase) {
  trainer.checkpoint_steps = experiment_.run.checkpoint_steps;
  trainer.on_checkpoint = [&] { save(trainer, phase, PhaseEnd::Open); };
  trainer.on_progress = [&](const Progress& progress) { progress_.step(progress); };
  trainer.on_best = [&] { states_->save_weights(phase.name, SavedWeights::Best, phase.student()); };
  trainer.on_epoch = [&](const EpochReport& report) {
    progress_.epoch(phase.name, phase.train.epochs, report);
    folder_->append_metrics(phase.name, report);
    if (events_) events_->add(phase.name, report);
    save(trainer, phase, PhaseEnd::Open);
  };
}

void RunInProgress::save(const Trainer& trainer, const Phase& phase, PhaseEnd end) {
  states_->save(phase.name, end, table_.rows, folder_->metrics_bytes(), trainer);
}

RunFacts RunInProgress::facts(const std::string& status) const {
  return {device_name(session_.placement().device),
          session_.threads(),
          status,
          session_.data().class_names,
          folder_->started_in(),
          table_.warnings};
}

void RunInProgress::finish(Output output) {
  networks_.transfers.clear();
  set_activity("the last evaluation");
  evaluations_.evaluate_all(phases_, *states_, networks_, table_);
  compare_process_state();
  const Network& result = learner_of(phases_.back());
  save_network(folder_->layout().result_weights(), result.parameters(),
               {{"format", "pt"}, {"model", result.description()}});
  const RunFacts done = facts("finished");
  folder_->write_results(experiment_, done, table_.rows);
  write_report(folder_->path());
  states_->clear();  // only now: until then the run can be resumed
  if (output == Output::None) return;
  if (output == Output::Json) {
    print_out("{}\n", results_json(experiment_, done, table_.rows));
  } else {
    print_out("{}wrote {}: {}, {}, {}\n", comparison_text(table_.rows), folder_->path().string(),
              RunLayout::kPage, RunLayout::kResultWeights, RunLayout::kMetrics);
  }
}

/// Ends a run that a signal stopped.
ExitCode RunInProgress::stop() {
  folder_->write_results(experiment_, facts("stopped by a signal"), table_.rows);
  write_report(folder_->path());
  say(fmt::format("stopped by a signal; go on with: retort run --resume {}",
                  folder_->path().string()));
  return pending_signal() == SIGTERM ? ExitCode::Terminated : ExitCode::Interrupted;
}

/// Writes the status of a run that failed. A disk that is full, say, must not hide why.
void RunInProgress::mark_failed(const std::string& reason) {
  try {
    folder_->write_status(experiment_, facts("failed: " + reason));
  } catch (...) {
    spdlog::warn("{}: still says that it runs: {}", folder_->layout().results().string(),
                 current_failure().text);
  }
}

/// Ends a run that had come to its end: a kill may have come between the results and what is made from
/// them.
ExitCode finish_again(const RunLayout& layout, Output output) {
  if (!std::filesystem::exists(layout.result_weights())) {
    throw DataError(
        fmt::format("{}: finished, but its {} is missing; restore it, or run the "
                    "experiment again",
                    layout.folder().string(), RunLayout::kResultWeights));
  }
  say(layout.folder().string() + ": finished before; nothing is left to do");
  const RunFolder owned(layout.folder());
  if (!std::filesystem::exists(layout.page())) write_report(layout.folder());
  CheckpointStore(layout.states()).clear();
  if (output != Output::None) {
    print_comparison({layout.folder()},
                     output == Output::Json ? CompareFormat::Json : CompareFormat::Text);
  }
  return ExitCode::Ok;
}

}  // namespace

ExitCode run_experiment(const Experiment& experiment, Output output) {
  return RunInProgress(experiment).go(output);
}

ExitCode resume_run(const Experiment& experiment, const std::filesystem::path& folder,
                    Changes changes, Output output) {
  const RunLayout layout(folder);
  if (std::filesystem::exists(layout.results()) && read_results(folder).status == "finished") {
    return finish_again(layout, output);
  }
  RunInProgress run(experiment);
  run.resume(folder, changes);
  return run.go(output);
}

}  // namespace retort::host
