#include "framework/run/phase_networks.hpp"

#include <algorithm>

namespace retort::host {
namespace {

bool takes_part(const PhaseSpec& spec, const char* participant) {
  return std::find(spec.participants.begin(), spec.participants.end(), participant) !=
         spec.participants.end();
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
  Network& learner = spec.learner == kTeacherName ? *networks.teacher : *networks.student;
  if (!spec.transfers) return session.plan(spec.name, learner);
  Network* const teacher = takes_part(spec, kTeacherName) ? networks.teacher.get() : nullptr;
  return session.distil_plan(learner, teacher, networks.transfers);
}

}  // namespace retort::host
