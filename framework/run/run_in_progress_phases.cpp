// The phases of a run on its way.
#include <algorithm>

#include "framework/guard/plugin_entry.hpp"
#include "framework/run/phase_networks.hpp"
#include "framework/run/run_in_progress.hpp"

namespace retort::host {

/// Trains a phase, unless its weights are there. Returns whether it came to its end.
bool RunInProgress::run_phase(size_t position) {
  const PhaseSpec& spec = phases_[position];
  if (spec.kind != PhaseKind::Teacher && !judged_) {
    for (const NetworkConfig& teacher : experiment_.teachers)
      networks_.at(teacher.name).parameters().freeze();
    evaluations_.judge_teachers(networks_, origins_, start_, table_);
    judged_ = true;
  }
  if (start_.is_behind(position)) return true;
  if (spec.kind == PhaseKind::Teacher && origins_.at(spec.name).kind == TeacherOrigin::Kind::Kept) {
    states_->save_weights(spec, SavedWeights::Last, networks_.at(spec.name));
    return true;
  }
  return train(position);
}

/// The phase, whose networks and transfers are as the phases before it left them. The teachers are those
/// that were looked at before.
Phase RunInProgress::make_prepared_phase(size_t position) {
  const PhaseSpec& spec = phases_[position];
  if (spec.kind == PhaseKind::Teacher) return make_phase(session_, spec, networks_);
  renew_students(session_, spec, networks_);
  for (const NetworkConfig& student : experiment_.students) {
    const auto source = find_source(phases_, position, student.name);
    const auto& takes_part = spec.participants;
    if (!source ||
        std::find(takes_part.begin(), takes_part.end(), student.name) == takes_part.end()) {
      continue;
    }
    states_->load_weights(phases_[*source], networks_.at(student.name));
  }
  Phase phase = make_phase(session_, spec, networks_);
  for (const size_t transfer : spec.transfers) {
    const auto source = find_transfer_source(phases_, position, transfer);
    if (source) states_->load_modules(phases_[*source], *networks_.transfers[transfer]);
  }
  return phase;
}

bool RunInProgress::train(size_t position) {
  const PhaseSpec& spec = phases_[position];
  const Phase phase = make_prepared_phase(position);
  set_activity("phase " + phase.name);
  Loop loop(phase);
  start_.restore(position, loop);
  watch(loop, spec, phase);
  if (!loop.run()) {
    save(loop, spec, PhaseEnd::Open);
    return false;
  }
  end_phase(position, phase, loop);
  return true;
}

/// Keeps what a phase came to: rows, weights, and the modules of transfers that a later phase goes on
/// with.
void RunInProgress::end_phase(size_t position, const Phase& phase, const Loop& loop) {
  const PhaseSpec& spec = phases_[position];
  const TrainingState state = loop.state();
  for (size_t i = 0; i < spec.learners.size(); ++i) {
    const LearnerSpec& learner = spec.learners[i];
    Network& network = phase.at(learner.name).network();
    table_.add(spec, learner, network, state.standings[i], state.train_seconds);
    states_->save_weights(spec, SavedWeights::Last, network);
  }
  for (size_t later = position + 1; later < phases_.size(); ++later) {
    for (const size_t transfer : phases_[later].transfers) {
      if (find_transfer_source(phases_, later, transfer) == position)
        states_->save_modules(spec, *networks_.transfers[transfer]);
    }
  }
  if (spec.kind == PhaseKind::Teacher)
    origins_.at(spec.name).store->save(networks_.at(spec.name), table_.rows.back().accuracy);
  save(loop, spec, PhaseEnd::Reached);
}

/// What is told and kept of a training while it runs.
void RunInProgress::watch(Loop& loop, const PhaseSpec& spec, const Phase& phase) {
  loop.checkpoint_steps = experiment_.run.checkpoint_steps;
  loop.on_checkpoint = [&] { save(loop, spec, PhaseEnd::Open); };
  loop.on_progress = [&](const Progress& progress) { progress_.step(progress); };
  loop.on_best = [&](const Participant& learner) {
    states_->save_weights(spec, SavedWeights::Best, learner.network());
  };
  loop.on_epoch = [&](const EpochReport& report) {
    progress_.epoch(phase.name, phase.train.epochs, report);
    folder_->append_metrics(phase.name, report);
    if (events_) events_->add(phase.name, report);
    save(loop, spec, PhaseEnd::Open);
  };
}

void RunInProgress::save(const Loop& loop, const PhaseSpec& spec, PhaseEnd end) {
  states_->save(spec.name, end, table_.rows, folder_->metrics_bytes(), loop);
}

}  // namespace retort::host
