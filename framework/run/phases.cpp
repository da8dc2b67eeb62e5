#include "framework/run/phases.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/train/step_view.hpp"

namespace retort::host {
namespace {

/// Which trainings are listed that a run may do without.
enum class Listed { OfRun, All };

PhaseSpec make_teacher_phase(const NetworkConfig& teacher) {
  PhaseSpec phase;
  phase.name = teacher.name;
  phase.kind = PhaseKind::Teacher;
  phase.learners = {{teacher.name, "", teacher.name}};
  phase.participants = {teacher.name};
  phase.train = &teacher.train;
  return phase;
}

bool learns_in(const PhaseConfig& phase, const std::string& student) {
  return std::any_of(phase.learn.begin(), phase.learn.end(),
                     [&](const LearnerConfig& learner) { return learner.student == student; });
}

/// The row of a student that is trained without transfers.
std::string make_alone_row(const std::string& student) { return student + " alone"; }

/// The row of the teacher that a student is compared with: the first that it learns from.
std::string find_teacher_row(const Experiment& experiment, const std::string& student) {
  const auto is_teacher = [&](const std::string& name) {
    return std::any_of(experiment.teachers.begin(), experiment.teachers.end(),
                       [&](const NetworkConfig& teacher) { return teacher.name == name; });
  };
  for (const TransferConfig& transfer : experiment.transfers) {
    if (transfer.student == student && !transfer.teachers.empty() &&
        is_teacher(transfer.teachers.front())) {
      return transfer.teachers.front();
    }
  }
  return experiment.has_teacher() ? experiment.teachers.front().name : std::string(kTeacherRow);
}

LearnerSpec make_student(const Experiment& experiment, const std::string& student,
                         const std::string& up_to, const std::string& row) {
  LearnerSpec learner = {student, up_to, row};
  learner.alone_row = row == make_alone_row(student) ? "" : make_alone_row(student);
  learner.teacher_row = find_teacher_row(experiment, student);
  return learner;
}

/// The recipe of a student alone: of the last phase in which it learns from the task.
const TrainConfig& find_alone_recipe(const Experiment& experiment, const std::string& student) {
  const TrainConfig* recipe = &experiment.train;
  for (const PhaseConfig& phase : experiment.phases)
    if (phase.task && learns_in(phase, student)) recipe = &phase.train;
  return *recipe;
}

PhaseSpec make_alone_phase(const Experiment& experiment, const std::string& student) {
  PhaseSpec phase;
  const bool only = experiment.students.size() == 1;
  phase.name = kAlonePhase + (only ? "" : "." + student);
  phase.kind = PhaseKind::Baseline;
  phase.learners = {make_student(experiment, student, "", make_alone_row(student))};
  phase.participants = {student};
  phase.train = &find_alone_recipe(experiment, student);
  return phase;
}

/// Those whom the terms of a phase are about, beside its learners.
void add_participants(const Experiment& experiment, PhaseSpec& phase) {
  std::set<std::string> wanted;
  for (const size_t transfer : phase.transfers) {
    const TransferConfig& config = experiment.transfers[transfer];
    wanted.insert(config.student);
    wanted.insert(config.teachers.begin(), config.teachers.end());
  }
  for (const LearnerSpec& learner : phase.learners) phase.participants.push_back(learner.name);
  for (const auto* networks : {&experiment.students, &experiment.teachers}) {
    for (const NetworkConfig& network : *networks) {
      const bool learns = phase.find_learner(network.name) != nullptr;
      if (!learns && wanted.count(network.name) != 0) phase.participants.push_back(network.name);
    }
  }
}

/// "student, hint + kd": a learner and what it learns from in a phase.
std::string make_main_row(const Experiment& experiment, const PhaseSpec& phase,
                          const std::string& learner) {
  std::vector<std::string> names;
  for (const size_t transfer : phase.transfers) {
    const TransferConfig& config = experiment.transfers[transfer];
    if (config.student == learner) names.push_back(config.name);
  }
  return learner + ", " + (names.empty() ? phase.name : join(names, " + "));
}

/// A row that an earlier phase has, too, is told apart by its phase.
void make_rows_unique(std::vector<PhaseSpec>& phases) {
  std::set<std::string> taken;
  for (PhaseSpec& phase : phases) {
    for (LearnerSpec& learner : phase.learners) {
      if (taken.count(learner.row) != 0) learner.row += " (" + phase.name + ")";
      taken.insert(learner.row);
    }
  }
}

PhaseSpec make_main_phase(const Experiment& experiment, const PhaseConfig& config) {
  PhaseSpec phase;
  phase.name = config.name;
  for (size_t i = 0; i < experiment.transfers.size(); ++i) {
    const auto& names = config.transfers;
    if (std::find(names.begin(), names.end(), experiment.transfers[i].name) != names.end())
      phase.transfers.push_back(i);
  }
  for (const LearnerConfig& learner : config.learn) {
    phase.learners.push_back(make_student(experiment, learner.student, learner.up_to,
                                          make_main_row(experiment, phase, learner.student)));
    phase.learners.back().place = learner.place;
  }
  phase.task = config.task;
  phase.task_weight = experiment.task.weight;
  phase.modules = config.modules;
  phase.train = &config.train;
  add_participants(experiment, phase);
  return phase;
}

/// The usual one: all students learn from the task and all transfers.
PhaseSpec make_distil_phase(const Experiment& experiment) {
  PhaseSpec phase;
  phase.name = kDistilPhase;
  for (size_t i = 0; i < experiment.transfers.size(); ++i) {
    phase.transfers.push_back(i);
    phase.modules.push_back(experiment.transfers[i].name);
  }
  for (const NetworkConfig& student : experiment.students)
    phase.learners.push_back(
        make_student(experiment, student.name, "", make_main_row(experiment, phase, student.name)));
  phase.task_weight = experiment.task.weight;
  phase.train = &experiment.train;
  add_participants(experiment, phase);
  // The usual teacher takes part, also where no strategy wants it.
  if (experiment.teachers.size() == 1 && experiment.transfers.size() > 0) {
    const std::string& teacher = experiment.teachers.front().name;
    if (std::find(phase.participants.begin(), phase.participants.end(), teacher) ==
        phase.participants.end()) {
      phase.participants.push_back(teacher);
    }
  }
  return phase;
}

std::vector<PhaseSpec> list_phases(const Experiment& experiment, Listed listed) {
  const bool is_alone_only = experiment.transfers.empty() && experiment.phases.empty();
  std::vector<PhaseSpec> phases;
  for (const NetworkConfig& teacher : experiment.teachers)
    if (listed == Listed::All || teacher.given().empty())
      phases.push_back(make_teacher_phase(teacher));
  if (listed == Listed::All || experiment.student_alone || is_alone_only) {
    for (const NetworkConfig& student : experiment.students) {
      phases.push_back(make_alone_phase(experiment, student.name));
      if (is_alone_only) phases.back().kind = PhaseKind::Main;
    }
  }
  for (const PhaseConfig& phase : experiment.phases)
    phases.push_back(make_main_phase(experiment, phase));
  if (experiment.phases.empty() && !experiment.transfers.empty())
    phases.push_back(make_distil_phase(experiment));
  make_rows_unique(phases);
  return phases;
}

}  // namespace

const LearnerSpec* PhaseSpec::find_learner(const std::string& participant) const {
  const auto found =
      std::find_if(learners.begin(), learners.end(),
                   [&](const LearnerSpec& learner) { return learner.name == participant; });
  return found == learners.end() ? nullptr : &*found;
}

std::vector<PhaseSpec> phases_of(const Experiment& experiment) {
  return list_phases(experiment, Listed::OfRun);
}

std::vector<PhaseSpec> measurable_phases(const Experiment& experiment) {
  return list_phases(experiment, Listed::All);
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

std::optional<size_t> find_source(const std::vector<PhaseSpec>& phases, size_t position,
                                  const std::string& network) {
  if (phases[position].kind != PhaseKind::Main) return std::nullopt;
  for (size_t i = position; i-- > 0;) {
    const bool trained = phases[i].find_learner(network) != nullptr;
    if (phases[i].kind == PhaseKind::Main && trained) return i;
  }
  return std::nullopt;
}

std::optional<size_t> find_transfer_source(const std::vector<PhaseSpec>& phases, size_t position,
                                           size_t transfer) {
  if (phases[position].kind != PhaseKind::Main) return std::nullopt;
  for (size_t i = position; i-- > 0;) {
    const auto& its = phases[i].transfers;
    if (std::find(its.begin(), its.end(), transfer) != its.end()) return i;
  }
  return std::nullopt;
}

size_t find_result(const std::vector<PhaseSpec>& phases, const std::string& student) {
  for (size_t i = phases.size(); i-- > 0;)
    if (phases[i].find_learner(student) != nullptr && phases[i].kind != PhaseKind::Teacher)
      return i;
  throw std::logic_error("no phase trains the student " + student);
}

}  // namespace retort::host
