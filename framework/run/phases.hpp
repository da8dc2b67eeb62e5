#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/experiment.hpp"

namespace retort::host {

/// What one network learns in a phase.
struct LearnerSpec {
  std::string name;   // of the participant
  std::string up_to;  // a tap; "": the whole network
  std::string row;    // of the table: "student alone", "student, logits.kd"
  // The rows that it is measured against; "": none.
  std::string alone_row = {}, teacher_row = {};
  Place place = {};  // where the file names it
};

/// What a training is for.
enum class PhaseKind {
  Teacher,   // one teacher's own, which is looked for in OUT/teachers first, and kept there
  Baseline,  // a student alone, which the gains of the others are measured against
  Main       // what the experiment is about
};

/// One training of a run, as the experiment alone tells it: no network is needed to know it.
struct PhaseSpec {
  std::string name;  // in metrics.jsonl, saved states, names of weights, --phase
  PhaseKind kind = PhaseKind::Main;
  std::vector<LearnerSpec> learners;
  std::vector<std::string> participants;  // all, the learners first, then in the file's order
  bool task = true;                       // learns from the labels
  std::vector<size_t> transfers;          // and from these, by position in the file
  std::vector<std::string> modules;       // names of transfers whose own parameters are trained
  double task_weight = 1;
  const TrainConfig* train = nullptr;  // its recipe, the experiment's

  const LearnerSpec* find_learner(const std::string& participant) const;
};

/// The trainings of a run, in their order; the only list of them. Each teacher's, unless its weights are
/// given; each student's alone, unless [baseline] leaves it out; then the phases of the file, or without
/// any the one in which all students learn from the task and all transfers. The experiment must outlive
/// them.
std::vector<PhaseSpec> phases_of(const Experiment& experiment);

/// The trainings that can be tried with an experiment: those of its run, a teacher's also where its
/// weights are given, and a student's alone also where it is left out.
std::vector<PhaseSpec> measurable_phases(const Experiment& experiment);

/// "teacher, alone, distil".
std::string list_names(const std::vector<PhaseSpec>& phases);

/// The position of the phase in which a state was saved; messages begin with `where`.
/// Throws: DataError where it is none of them.
size_t find_phase(const std::vector<PhaseSpec>& phases, const std::string& name,
                  const std::string& where);

/// The main phase before `position` that trained a network last, or of a transfer the one that had it
/// last: where it goes on from. Nothing where it begins at its start values.
std::optional<size_t> find_source(const std::vector<PhaseSpec>& phases, size_t position,
                                  const std::string& network);
std::optional<size_t> find_transfer_source(const std::vector<PhaseSpec>& phases, size_t position,
                                           size_t transfer);

/// The phase that a student's weights are of when the run has come to its end.
size_t find_result(const std::vector<PhaseSpec>& phases, const std::string& student);

}  // namespace retort::host
