#include "framework/run/phase_networks.hpp"

#include <memory>

#include "framework/train/task.hpp"

namespace retort::host {
namespace {

Network& network_of(Networks& networks, const std::string& participant) {
  return participant == kTeacherName ? *networks.teacher : *networks.student;
}

/// One that normalises otherwise than the learner reads a field of its own.
Participant make_participant(const Session& session, const PhaseSpec& spec, Networks& networks,
                             const std::string& name) {
  const auto views_of = [&](const std::string& participant) {
    return participant == kTeacherName ? &session.teacher_views() : &session.student_views();
  };
  const bool shares = views_of(name) == views_of(spec.learner);
  const std::string field = std::string(kImageField) + (shares ? "" : "@" + name);
  return {name, std::make_shared<LiveNetwork>(network_of(networks, name), field),
          name == spec.learner, views_of(name)};
}

}  // namespace

void renew_learner(const Session& session, const PhaseSpec& spec, Networks& networks) {
  networks.transfers.clear();
  if (spec.learner == kTeacherName) {
    networks.teacher = session.make_teacher();
    return;
  }
  networks.student = session.make_student();
  if (spec.transfers) networks.transfers = session.make_transfers();
}

Phase make_phase(const Session& session, const PhaseSpec& spec, Networks& networks) {
  const Experiment& experiment = session.experiment();
  Phase phase;
  phase.name = spec.name;
  for (const std::string& name : spec.participants)
    phase.participants.push_back(make_participant(session, spec, networks, name));
  phase.train = *spec.train;
  phase.terms.push_back(std::make_shared<CrossEntropyTask>(
      spec.learner, spec.transfers ? experiment.task.weight : 1, phase.train.label_smoothing));
  if (spec.transfers) {
    phase.terms.insert(phase.terms.end(), networks.transfers.begin(), networks.transfers.end());
  }
  phase.data = &session.data();
  phase.batch_size = experiment.data.batch_size;
  phase.mix = {experiment.data.mixup, experiment.data.cutmix};
  phase.seed = experiment.seed;
  return phase;
}

}  // namespace retort::host
