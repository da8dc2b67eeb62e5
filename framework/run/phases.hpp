#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/config/experiment.hpp"

namespace retort::host {

/// One training of a run, as the experiment alone tells it: no network is needed to know it.
struct PhaseSpec {
  std::string name;     // in metrics.jsonl, saved states, names of weights, --phase
  std::string row;      // of the table: "student alone", "student, logits.kd"
  std::string learner;  // the participant that is trained: "teacher", "student"
  std::vector<std::string> participants;  // all of them, the learner first
  const TrainConfig* train = nullptr;     // its recipe, the experiment's
  bool transfers = false;                 // learns from the experiment's transfers too
  bool kept = false;                      // its network is looked for in, and goes to, OUT/teachers
  bool is_baseline = false;               // what the gains of the others are measured against
  bool is_result = false;                 // the last phase, whose network is what the run is for
};

/// The trainings of a run, in their order; the only list of them. The teacher's, unless its weights are
/// given; the student's alone, unless [baseline] leaves it out; the student's with the transfers, where
/// there are any. The experiment must outlive them.
std::vector<PhaseSpec> phases_of(const Experiment& experiment);

/// The trainings that can be tried with an experiment: those of its run, the teacher's also where its
/// weights are given, and the student's alone also where it is left out.
std::vector<PhaseSpec> measurable_phases(const Experiment& experiment);

/// "teacher, alone, distil".
std::string list_names(const std::vector<PhaseSpec>& phases);

/// The position of the phase in which a state was saved; messages begin with `where`.
/// Throws: DataError where it is none of them.
size_t find_phase(const std::vector<PhaseSpec>& phases, const std::string& name,
                  const std::string& where);

}  // namespace retort::host
