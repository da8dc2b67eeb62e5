#include "framework/run/phase_networks.hpp"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <memory>

#include "framework/base/error.hpp"
#include "framework/train/backward.hpp"
#include "framework/train/task.hpp"

namespace retort::host {
namespace {

/// The parameters that a tap depends on.
std::vector<std::string> find_parameters_up_to(Network& network, const std::string& tap) {
  network.parameters().learn_all();
  const std::vector<std::string> taps = network.resolve_taps({tap}, "phase.learn", {});
  const InputShape& input = network.input();
  const at::Tensor image = at::zeros({1, input.channels, input.height, input.width},
                                     at::TensorOptions().device(network.placement().device));
  const c10::AutoGradMode recording(true);
  const Outputs outputs = network.forward(image, {taps.back()}, PassMode::Evaluate);
  return parameters_behind(outputs.features.front(), network.parameters());
}

/// Lets learn what a phase trains of one participant.
void choose_parameters(const PhaseSpec& spec, Network& network) {
  const LearnerSpec* learner = spec.find_learner(network.role());
  if (learner == nullptr) return network.parameters().freeze();
  if (learner->up_to.empty()) return network.parameters().learn_all();
  const auto names = find_parameters_up_to(network, learner->up_to);
  if (names.empty()) {
    throw ConfigError("the phase " + spec.name + " learns \"" + learner->name + ":" +
                      learner->up_to +
                      "\", but no parameter lies up to that tap; name a later one");
  }
  network.parameters().learn_only(names);
}

Participant make_participant(const Session& session, const PhaseSpec& spec, Networks& networks,
                             const std::string& name) {
  const NetworkConfig& config = *session.experiment().find_network(name);
  Participant participant;
  participant.name = name;
  participant.outputs = std::make_shared<LiveNetwork>(networks.at(name));
  if (const LearnerSpec* learner = spec.find_learner(name)) {
    participant.learns = true;
    participant.up_to = learner->up_to;
    participant.place = learner->place;
  }
  participant.views = session.make_views(config);
  if (config.mode == TeacherMode::Train) participant.teaching = PassMode::Train;
  return participant;
}

/// The task, once for each learner: "task", or of several "task.a".
void add_tasks(const PhaseSpec& spec, Phase& phase) {
  if (!spec.task) return;
  for (const LearnerSpec& learner : spec.learners) {
    const std::string name =
        std::string(names::kTask) + (spec.learners.size() > 1 ? "." + learner.name : "");
    phase.terms.push_back(std::make_shared<CrossEntropyTask>(learner.name, spec.task_weight,
                                                             phase.train.label_smoothing, name));
  }
}

}  // namespace

void renew_students(const Session& session, const PhaseSpec& spec, Networks& networks) {
  const Experiment& experiment = session.experiment();
  for (const NetworkConfig& student : experiment.students) {
    const auto& wanted = spec.participants;
    if (std::find(wanted.begin(), wanted.end(), student.name) != wanted.end())
      networks.by_name[student.name] = session.make_network(student.name);
  }
  networks.transfers.assign(experiment.transfers.size(), nullptr);
  for (const size_t transfer : spec.transfers)
    networks.transfers[transfer] = session.make_transfer(experiment.transfers[transfer]);
}

Phase make_phase(const Session& session, const PhaseSpec& spec, Networks& networks) {
  const Experiment& experiment = session.experiment();
  Phase phase;
  phase.name = spec.name;
  for (const std::string& name : spec.participants) {
    choose_parameters(spec, networks.at(name));
    phase.participants.push_back(make_participant(session, spec, networks, name));
  }
  phase.train = *spec.train;
  add_tasks(spec, phase);
  phase.data = &session.data();
  phase.batch_size = experiment.data.batch_size;
  phase.mix = {experiment.data.mixup, experiment.data.cutmix};
  phase.seed = experiment.seed;
  for (const size_t transfer : spec.transfers) phase.terms.push_back(networks.transfers[transfer]);
  set_transfers_up(phase);
  for (Transfer* transfer : phase.transfers()) {
    const bool learns =
        std::find(spec.modules.begin(), spec.modules.end(), transfer->name()) != spec.modules.end();
    if (learns) {
      transfer->parameters()->learn_all();
    } else {
      transfer->parameters()->freeze();
    }
  }
  return phase;
}

}  // namespace retort::host
