#include "framework/train/phase.hpp"

#include <algorithm>
#include <stdexcept>

#include "framework/base/error.hpp"

namespace retort::host {

const Participant& Phase::learner() const {
  const auto learns = [](const Participant& participant) { return participant.learns; };
  if (std::count_if(participants.begin(), participants.end(), learns) != 1)
    throw std::logic_error("one participant of a phase learns");
  return *std::find_if(participants.begin(), participants.end(), learns);
}

const Participant* Phase::find(std::string_view participant) const {
  const auto found = std::find_if(participants.begin(), participants.end(),
                                  [&](const Participant& it) { return it.name == participant; });
  return found == participants.end() ? nullptr : &*found;
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

std::vector<View> make_views(const Phase& phase) {
  std::vector<View> views;
  for (const Participant& participant : phase.participants) {
    const std::string& field = participant.outputs->field();
    const bool known = std::any_of(views.begin(), views.end(),
                                   [&](const View& view) { return view.field == field; });
    if (!known) views.push_back({field, participant.views});
  }
  return views;
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
  const std::vector<Transfer*> transfers = phase.transfers();
  const Participant* teacher = phase.find(kTeacherName);
  for (size_t i = 0; i < transfers.size(); ++i) {
    if (transfers[i]->is_set_up()) continue;
    transfers[i]->setup(run, *phase.learner().outputs,
                        teacher == nullptr ? nullptr : teacher->outputs.get(),
                        "transfer[" + std::to_string(i) + "]");
  }
}

}  // namespace retort::host
