#include "framework/run/teacher_origin.hpp"

#include <algorithm>

namespace retort::host {

TeacherOrigin find_teacher(const Session& session, const std::vector<PhaseSpec>& phases,
                           const ResumePoint& start, const RunStates* states, Network& teacher) {
  TeacherOrigin origin;
  const NetworkConfig& config = *session.experiment().find_network(teacher.role());
  if (const auto given = config.given(); !given.empty()) {
    origin.kind = TeacherOrigin::Kind::Given;
    origin.text = "from " + given.string();
    return origin;
  }
  const auto own = std::find_if(phases.begin(), phases.end(), [&](const PhaseSpec& phase) {
    return phase.kind == PhaseKind::Teacher && phase.learners.front().name == config.name;
  });
  const auto position = static_cast<size_t>(own - phases.begin());
  if (start.is_behind(position)) {
    states->load_weights(*own, teacher);
    origin.kind = TeacherOrigin::Kind::FromRun;
    origin.text = "from the run's own folder";
    return origin;
  }
  origin.store.emplace(session, config);
  // A state within the teacher's training counts before what was kept since.
  if (!start.is_within(position)) origin.told = origin.store->load(teacher);
  origin.kind = origin.told ? TeacherOrigin::Kind::Kept : TeacherOrigin::Kind::ToTrain;
  origin.text = origin.told ? "kept from an earlier run (" + origin.store->file().string() + ")"
                            : "to be trained";
  return origin;
}

}  // namespace retort::host
