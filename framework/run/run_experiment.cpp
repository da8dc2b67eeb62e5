#include "framework/run/run_experiment.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <csignal>

#include "framework/base/failure.hpp"
#include "framework/base/text.hpp"
#include "framework/guard/plugin_entry.hpp"
#include "framework/io/file_bytes.hpp"
#include "framework/io/hash.hpp"
#include "framework/report/compare.hpp"
#include "framework/report/log.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/report/report_page.hpp"
#include "framework/report/run_record.hpp"
#include "framework/run/determinism.hpp"
#include "framework/run/phase_networks.hpp"
#include "framework/run/run.hpp"
#include "framework/run/term_trial.hpp"
#include "framework/train/device.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/interrupt.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
ExitCode Run::go(Output output) {
  print_header();
  prepare_networks();
  open_folder();
  try {
    if (train_all()) {
      finish(output);
      return ExitCode::Ok;
    }
  } catch (...) {
    mark_failed(current_failure().text);
    throw;
  }
  folder_->write_results(experiment_, facts("stopped by a signal"), rows_);
  write_report(folder_->path());
  say(fmt::format("stopped by a signal; go on with: retort run --resume {}",
                  folder_->path().string()));
  return pending_signal() == SIGTERM ? ExitCode::Terminated : ExitCode::Interrupted;
}

/// Writes the status of a run that failed. A disk that is full, say, must not hide why.
void Run::mark_failed(const std::string& reason) {
  try {
    folder_->write_status(experiment_, facts("failed: " + reason));
  } catch (...) {
    spdlog::warn("{}: still says that it runs: {}", folder_->layout().results().string(),
                 current_failure().text);
  }
}

void Run::resume(const std::filesystem::path& folder, bool accept_changes) {
  folder_ = std::make_unique<RunFolder>(folder);
  states_ = std::make_unique<CheckpointStore>(folder_->layout().states());
  machine_ = machine_facts(session_);
  resumed_ = states_->newest();
  if (!resumed_) {
    if (std::filesystem::exists(folder_->layout().result_weights())) {
      throw DataError(fmt::format(
          "{}: holds a {} and no saved state, as a finished run does, but its {} does not say so; "
          "restore {}, or run the experiment again",
          folder.string(), RunLayout::kResultWeights, RunLayout::kResults, RunLayout::kResults));
    }
    say(folder.string() + ": no state was saved yet; starts at the beginning");
    folder_->truncate_metrics(0);
    return;
  }
  const Checkpoint& checkpoint = resumed_->checkpoint;
  resumed_at_ = position_of(phases_, checkpoint.phase, resumed_->file.string());
  const std::string changes = changes_between(checkpoint.facts, machine_);
  if (!changes.empty() && !accept_changes) {
    throw ConfigError(folder.string() + ": the run would not end with the same bytes: " + changes +
                      "; make it as it was, or accept that with --accept-changes");
  }
  if (!changes.empty()) spdlog::warn("accepted: {}", changes);
  folder_->truncate_metrics(checkpoint.metrics_bytes);
  rows_ = checkpoint.rows;
  files_ = checkpoint.files;
  say(fmt::format("resumes   {} at {} epoch {}, step {}", folder.string(), checkpoint.phase,
                  checkpoint.state.epoch + 1, checkpoint.state.step));
}

/// Whether a resumed run has this phase behind it.
bool Run::is_behind(size_t position) const {
  if (!resumed_) return false;
  return position < resumed_at_ || (position == resumed_at_ && resumed_->checkpoint.complete);
}

void Run::open_folder() {
  if (!folder_) folder_ = std::make_unique<RunFolder>(experiment_);
  if (!states_) {
    states_ = std::make_unique<CheckpointStore>(folder_->layout().states());
    machine_ = machine_facts(session_);
  }
  if (experiment_.run.tensorboard) events_.emplace(folder_->path());
  folder_->write_status(experiment_, facts("running"));
}

void Run::print_header() const {
  const ImageData& data = session_.data();
  say(fmt::format("retort {}   LibTorch {}   {}   seed {}", RETORT_VERSION, RETORT_TORCH_VERSION,
                  device_text(session_.placement().device, session_.threads()), experiment_.seed));
  say("data      " + description(data));
}

void Run::print_network(Network& network, const std::string& origin) const {
  const NetworkProfile& profile = network.profile();
  std::string line = fmt::format("{:9} {:26} {:>9} parameters   {:>6.1f} M multiply-adds   {}",
                                 network.role(), network.description(), grouped(profile.parameters),
                                 static_cast<double>(profile.multiply_adds) / 1e6, origin);
  line.erase(line.find_last_not_of(' ') + 1);
  say(line);
}

void Run::prepare_networks() {
  // Options of models, weights, taps and set-up are checked before hours of teacher training, not
  // after them.
  networks_ = make_networks(session_);
  if (networks_.teacher) print_network(*networks_.teacher, prepare_teacher());
  print_network(*networks_.student,
                experiment_.student.weights ? "from " + experiment_.student.weights->string() : "");
  check_determinism(session_);
  for (const PhaseSpec& spec : phases_) {
    const bool is_tried = spec.kept ? store_ && !teacher_accuracy_ : spec.is_result;
    if (!is_tried) continue;
    for (const std::string& warning : try_terms(make_phase(session_, spec, networks_))) {
      spdlog::warn("{}", warning);
    }
  }
  networks_.transfers.clear();
}

/// Finds the teacher's weights, and returns where they come from.
std::string Run::prepare_teacher() {
  if (experiment_.teacher->weights) return "from " + experiment_.teacher->weights->string();
  if (is_behind(0)) {  // the teacher's phase comes first
    load_saved(phases_.front().name, *networks_.teacher);
    return "from the run's own folder";
  }
  store_ = std::make_unique<TeacherStore>(session_);
  if (!resumed_) teacher_accuracy_ = store_->load(*networks_.teacher);
  return teacher_accuracy_ ? "kept from an earlier run (" + store_->file().string() + ")"
                           : "to be trained";
}

/// The phases in their order, but those that a resumed run has behind it. The teacher is judged before
/// anything learns from it.
bool Run::train_all() {
  const bool judged_before = !rows_.empty() && rows_.front().name == kTeacherRow;
  bool judged = !networks_.teacher;
  for (size_t i = 0; i < phases_.size(); ++i) {
    const PhaseSpec& spec = phases_[i];
    if (!judged && spec.learner != kTeacherName) {
      networks_.teacher->parameters().freeze();
      judge_teacher(judged_before);
      judged = true;
    }
    if (is_behind(i)) {
      if (spec.is_result) {  // only the results are left to write
        renew_learner(session_, spec, networks_);
        load_saved(spec.name, learner_of(spec));
      }
    } else if (spec.kept && teacher_accuracy_) {
      save_weights(spec.name, SavedWeights::Last, learner_of(spec));
    } else if (!train(i)) {
      return false;
    }
  }
  networks_.transfers.clear();
  return true;
}

Network& Run::learner_of(const PhaseSpec& spec) {
  return spec.learner == kTeacherName ? *networks_.teacher : *networks_.student;
}

bool Run::train(size_t position) {
  const PhaseSpec& spec = phases_[position];
  // The teacher is the one that was looked at before; a student learns once.
  if (spec.learner != kTeacherName) renew_learner(session_, spec, networks_);
  const Phase phase = make_phase(session_, spec, networks_);
  set_activity("phase " + phase.name);
  Trainer trainer(phase);
  if (resumed_ && resumed_at_ == position) {
    trainer.restore(resumed_->checkpoint.state, resumed_->tensors, resumed_->checkpoint.rollback);
    resumed_.reset();
  }
  const auto save = [&](bool complete) {
    states_->save({phase.name, complete, trainer.state(), rows_, folder_->metrics_bytes(), machine_,
                   files_, trainer.rollback_state()},
                  trainer.tensors());
  };
  trainer.checkpoint_steps = experiment_.run.checkpoint_steps;
  trainer.on_checkpoint = [&] { save(false); };
  trainer.on_progress = [&](const Progress& progress) { progress_.step(progress); };
  trainer.on_best = [&] { save_weights(phase.name, SavedWeights::Best, phase.student()); };
  trainer.on_epoch = [&](const EpochReport& report) {
    progress_.epoch(phase.name, phase.train.epochs, report);
    folder_->append_metrics(phase.name, report);
    if (events_) events_->add(phase.name, report);
    save(false);
  };
  if (!trainer.run()) {
    save(false);
    return false;
  }
  add_row(spec, phase.student(), trainer.state());
  save_weights(phase.name, SavedWeights::Last, phase.student());
  if (spec.kept) store_->save(phase.student(), rows_.back().accuracy);
  save(true);
  return true;
}

void Run::save_weights(const std::string& phase, SavedWeights which, const Network& network) {
  const std::filesystem::path file = folder_->layout().phase_weights(phase, which);
  save_network(file, network.parameters(), {{"format", "pt"}, {"model", network.description()}});
  if (which == SavedWeights::Best) return;
  files_[weights_name(phase, which)] = xxh3_128_hex(map_file(file, SIZE_MAX).bytes());
}

void Run::load_saved(const std::string& phase, Network& network) {
  const std::filesystem::path file = folder_->layout().phase_weights(phase, SavedWeights::Last);
  const std::string& saved = files_[weights_name(phase, SavedWeights::Last)];
  if (xxh3_128_hex(map_file(file, SIZE_MAX).bytes()) != saved) {
    throw DataError(file.string() + ": damaged: not the network that this run trained");
  }
  load_weights(network.parameters(), file, {});
}

ExitCode run_experiment(const Experiment& experiment, Output output) {
  return Run(experiment).go(output);
}

ExitCode resume_run(const Experiment& experiment, const std::filesystem::path& folder,
                    bool accept_changes, Output output) {
  const RunLayout layout(folder);
  if (std::filesystem::exists(layout.results()) && read_results(folder).status == "finished") {
    say(folder.string() + ": finished before; nothing is left to do");
    const RunFolder owned(folder);
    // A kill may have come between the results and what is made from them.
    if (!std::filesystem::exists(layout.page())) write_report(folder);
    CheckpointStore(layout.states()).clear();
    if (output != Output::None) {
      print_comparison({folder},
                       output == Output::Json ? CompareFormat::Json : CompareFormat::Text);
    }
    return ExitCode::Ok;
  }
  Run run(experiment);
  run.resume(folder, accept_changes);
  return run.go(output);
}

}  // namespace retort::host
