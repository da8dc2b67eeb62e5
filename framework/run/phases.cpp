#include "framework/run/phases.hpp"

#include <algorithm>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/train/step_view.hpp"

namespace retort::host {
namespace {

PhaseSpec make_teacher_phase(const Experiment& experiment) {
  PhaseSpec phase;
  phase.name = kTeacherPhase;
  phase.row = kTeacherRow;
  phase.learner = kTeacherName;
  phase.participants = {kTeacherName};
  phase.train = &experiment.teacher->train;
  phase.kept = !experiment.teacher->weights;
  return phase;
}

PhaseSpec make_alone_phase(const Experiment& experiment) {
  PhaseSpec phase;
  phase.name = kAlonePhase;
  phase.row = kAloneRow;
  phase.learner = kStudentName;
  phase.participants = {kStudentName};
  phase.train = &experiment.train;
  phase.is_baseline = !experiment.transfers.empty();
  return phase;
}

PhaseSpec make_distil_phase(const Experiment& experiment) {
  PhaseSpec phase;
  phase.name = kDistilPhase;
  std::vector<std::string> transfers;
  for (const TransferConfig& transfer : experiment.transfers) transfers.push_back(transfer.name);
  phase.row = std::string(kStudentRow) + ", " + join(transfers, " + ");
  phase.learner = kStudentName;
  phase.participants = {kStudentName};
  if (experiment.teacher) phase.participants.push_back(kTeacherName);
  phase.train = &experiment.train;
  phase.transfers = true;
  return phase;
}

std::vector<PhaseSpec> list_phases(const Experiment& experiment, bool has_teacher, bool has_alone) {
  std::vector<PhaseSpec> phases;
  if (has_teacher) phases.push_back(make_teacher_phase(experiment));
  if (has_alone) phases.push_back(make_alone_phase(experiment));
  if (!experiment.transfers.empty()) phases.push_back(make_distil_phase(experiment));
  phases.back().is_result = true;
  return phases;
}

}  // namespace

std::vector<PhaseSpec> phases_of(const Experiment& experiment) {
  return list_phases(experiment, experiment.teacher && !experiment.teacher->weights,
                     experiment.student_alone || experiment.transfers.empty());
}

std::vector<PhaseSpec> measurable_phases(const Experiment& experiment) {
  return list_phases(experiment, experiment.teacher.has_value(), /*has_alone=*/true);
}

std::string list_names(const std::vector<PhaseSpec>& phases) {
  std::vector<std::string> names;
  for (const PhaseSpec& phase : phases) names.push_back(phase.name);
  return join(names);
}

size_t find_phase(const std::vector<PhaseSpec>& phases, const std::string& name,
                  const std::string& where) {
  const auto found = std::find_if(phases.begin(), phases.end(),
                                  [&](const PhaseSpec& phase) { return phase.name == name; });
  if (found != phases.end()) return static_cast<size_t>(found - phases.begin());
  throw DataError(where + ": was saved in the phase \"" + name + "\", and this experiment has " +
                  list_names(phases) + "; restore the file, or train anew without --resume");
}

}  // namespace retort::host
