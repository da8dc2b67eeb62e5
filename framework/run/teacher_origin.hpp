#pragma once

#include <map>
#include <optional>
#include <string>

#include "framework/run/resume_point.hpp"
#include "framework/run/teacher_store.hpp"

namespace retort::host {

/// Where the weights of a teacher of a run come from.
struct TeacherOrigin {
  enum class Kind {
    Given,    // a file that the experiment names
    FromRun,  // this run trained it, or had it from one of the others, before it was resumed
    Kept,     // by an earlier run
    ToTrain,  // none is there
  };
  Kind kind = Kind::ToTrain;
  // Where it is kept from one run to the next; nothing for one that needs no such place.
  std::optional<TeacherStore> store = {};
  std::optional<Accuracy> told = {};  // what a kept one says of itself

  /// "from teacher.safetensors", "to be trained".
  std::string text = {};
};

/// Those of the teachers, by name.
using TeacherOrigins = std::map<std::string, TeacherOrigin>;

/// Loads the weights of a teacher, which has those that were given, where there are any.
/// Throws: DataError where the run's own are damaged.
TeacherOrigin find_teacher(const Session& session, const std::vector<PhaseSpec>& phases,
                           const ResumePoint& start, const RunStates* states, Network& teacher);

}  // namespace retort::host
