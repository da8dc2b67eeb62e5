#include "framework/train/phase.hpp"

#include <algorithm>
#include <stdexcept>

#include "framework/base/error.hpp"

namespace retort::host {

std::vector<const Participant*> Phase::learners() const {
  std::vector<const Participant*> learners;
  for (const Participant& participant : participants)
    if (participant.learns) learners.push_back(&participant);
  if (learners.empty()) throw std::logic_error("nobody learns in the phase " + name);
  return learners;
}

const Participant* Phase::find(std::string_view participant) const {
  const auto found = std::find_if(participants.begin(), participants.end(),
                                  [&](const Participant& it) { return it.name == participant; });
  return found == participants.end() ? nullptr : &*found;
}

const Participant& Phase::at(std::string_view participant) const {
  if (const Participant* found = find(participant)) return *found;
  throw std::logic_error(std::string(participant) + " takes no part in the phase " + name);
}

std::vector<Transfer*> Phase::transfers() const {
  std::vector<Transfer*> found;
  for (const auto& term : terms)
    if (auto* transfer = dynamic_cast<Transfer*>(term.get())) found.push_back(transfer);
  return found;
}

Sampler make_sampler(const Phase& phase) {
  return {phase.data->trained_samples(), phase.batch_size, phase.seed};
}

RunShape make_run_shape(const Phase& phase) {
  const int64_t steps_per_epoch = phase.data->trained_count() / phase.batch_size;
  if (steps_per_epoch < 1) {
    throw ConfigError("data.batch_size = " + std::to_string(phase.batch_size) +
                      " is more than the " + std::to_string(phase.data->trained_count()) +
                      " training samples; make it smaller");
  }
  RunShape run;
  run.class_count = phase.data->class_count;
  // The whole split, held-out samples included: the indices that strategies see address it.
  run.train_count = phase.data->train.size();
  run.batch_size = phase.batch_size;
  run.epoch_count = phase.train.epochs;
  run.step_count = phase.train.epochs * steps_per_epoch;
  run.labels = phase.data->train.labels.const_data_ptr<int64_t>();
  return run;
}

void set_transfers_up(const Phase& phase) {
  const RunShape run = make_run_shape(phase);
  for (Transfer* transfer : phase.transfers()) {
    if (transfer->is_set_up()) continue;
    const TransferConfig& config = transfer->config();
    const Participant& student = phase.at(config.student);
    const ParticipantView& view = student.views[student.find_view(config.view_student)];
    RunShape its_run = run;
    its_run.batch_size *= view.maker->times();
    OutputSource* teacher =
        config.teachers.empty() ? nullptr : phase.at(config.teachers.front()).outputs.get();
    transfer->setup(its_run, *student.outputs, teacher);
  }
}

}  // namespace retort::host
