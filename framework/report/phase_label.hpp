#pragma once

#include <string>

#include "framework/base/names.hpp"

namespace retort::host {

// What phases are called in metrics.jsonl, saved states and names of weights, and their networks in the
// table of a run and in charts. Folders of earlier versions have these names too.
inline constexpr const char* kAlonePhase = names::kAlone.data();
inline constexpr const char* kDistilPhase = names::kDistil.data();

inline constexpr const char* kTeacherRow = names::kTeacher.data();
inline constexpr const char* kAloneRow = names::kStudentAlone.data();
inline constexpr const char* kStudentRow = names::kStudent.data();  // a student's row begins so

/// The rows that a row is measured against, by name; "": none.
struct RowReferences {
  std::string alone, teacher;
};

/// Those of a row where the run does not tell them: runs of one teacher and one student do not, nor
/// do folders of versions before 0.3.
inline RowReferences find_usual_references(const std::string& row) {
  if (row == kTeacherRow) return {"", ""};
  return {row == kAloneRow ? "" : kAloneRow, kTeacherRow};
}

/// The name of a phase's line in a chart: "b alone" of the phase "alone.b". The folder may be
/// somebody else's: a phase that is not known is called what it calls itself.
inline std::string make_line_name(const std::string& phase) {
  if (phase == kAlonePhase) return kAloneRow;
  if (phase == kDistilPhase) return kStudentRow;
  const std::string alone_of = kAlonePhase + std::string(".");
  return phase.starts_with(alone_of) ? phase.substr(alone_of.size()) + " alone" : phase;
}

/// The name of the line of one of several networks that learn in a phase.
inline std::string make_line_name(const std::string& phase, const std::string& network) {
  return phase + ", " + network;
}

}  // namespace retort::host
