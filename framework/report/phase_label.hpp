#pragma once

#include <string>

#include "framework/base/names.hpp"

namespace retort::host {

// What phases are called in metrics.jsonl, saved states and names of weights, and their networks in the
// table of a run and in charts. Folders of earlier versions have these names too.
inline constexpr const char* kTeacherPhase = names::kTeacher.data();
inline constexpr const char* kAlonePhase = names::kAlone.data();
inline constexpr const char* kDistilPhase = names::kDistil.data();

inline constexpr const char* kTeacherRow = names::kTeacher.data();
inline constexpr const char* kAloneRow = names::kStudentAlone.data();
inline constexpr const char* kStudentRow = names::kStudent.data();  // a student's row begins so

/// The name of a phase's line in a chart. The folder may be somebody else's: a phase that is not known
/// is called what it calls itself.
inline std::string line_name(const std::string& phase) {
  if (phase == kAlonePhase) return kAloneRow;
  return phase == kDistilPhase ? kStudentRow : phase;
}

}  // namespace retort::host
