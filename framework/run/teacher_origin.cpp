#include "framework/run/teacher_origin.hpp"

namespace retort::host {

TeacherOrigin find_teacher(const Session& session, const std::vector<PhaseSpec>& phases,
                           const ResumePoint& start, const RunStates* states, Network& teacher) {
  TeacherOrigin origin;
  const NetworkConfig& config = *session.experiment().teacher;
  if (config.weights) {
    origin.kind = TeacherOrigin::Kind::Given;
    origin.text = "from " + config.weights->string();
    return origin;
  }
  if (start.is_behind(0)) {  // the teacher's phase comes first
    states->load_weights(phases.front().name, teacher);
    origin.kind = TeacherOrigin::Kind::FromRun;
    origin.text = "from the run's own folder";
    return origin;
  }
  origin.store.emplace(session);
  // A state within the teacher's training counts before what was kept since.
  if (start.is_beginning()) origin.told = origin.store->load(teacher);
  origin.kind = origin.told ? TeacherOrigin::Kind::Kept : TeacherOrigin::Kind::ToTrain;
  origin.text = origin.told ? "kept from an earlier run (" + origin.store->file().string() + ")"
                            : "to be trained";
  return origin;
}

}  // namespace retort::host
