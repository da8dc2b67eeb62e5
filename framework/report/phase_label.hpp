#pragma once

#include <string>

namespace retort::host {

// What phases are called in metrics.jsonl, saved states and names of weights, and their networks in the
// table of a run and in charts. Folders of earlier versions have these names too.
inline constexpr const char* kTeacherPhase = "teacher";
inline constexpr const char* kAlonePhase = "alone";
inline constexpr const char* kDistilPhase = "distil";

inline constexpr const char* kTeacherRow = "teacher";
inline constexpr const char* kAloneRow = "student alone";
inline constexpr const char* kStudentRow = "student";  // each row of a student begins so

/// The name of a phase's line in a chart. The folder may be somebody else's: a phase that is not known
/// is called what it calls itself.
inline std::string line_name(const std::string& phase) {
  if (phase == kAlonePhase) return kAloneRow;
  return phase == kDistilPhase ? kStudentRow : phase;
}

}  // namespace retort::host
