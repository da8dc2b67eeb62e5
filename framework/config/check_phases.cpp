#include "framework/config/check_phases.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "framework/config/keys/sides.hpp"
#include "framework/config/name_list.hpp"

namespace retort::host::config {
namespace {

bool has_weight(const TransferConfig& transfer) {
  return transfer.weight.from > 0 || transfer.weight.to > 0;
}

/// Whether it is not known whom the terms of a phase reach, or who learns in it, for a mistake that
/// was told: what does not fit would follow from that.
bool is_phase_unclear(const Section& root, const Experiment& experiment, const PhaseConfig& phase,
                      const Diagnostics& diagnostics) {
  return is_unclear(phase.key, "terms", diagnostics) ||
         is_unclear(phase.key, "learn", diagnostics) ||
         !know_transfers(*root.node(), experiment.transfers, diagnostics).whole ||
         !know_networks(*root.node(), experiment, diagnostics).students.whole;
}

/// The checks of one phase, each mistake at the key that it is about.
class PhaseCheck {
 public:
  PhaseCheck(const Experiment& experiment, const PhaseConfig& phase, const Node& table,
             Diagnostics& diagnostics)
      : experiment_(experiment), phase_(phase), table_(table), diagnostics_(diagnostics) {
    for (const TransferConfig& transfer : experiment.transfers) {
      if (is_among(phase.transfers, transfer.name)) transfers_.push_back(&transfer);
    }
  }

  void check() {
    if (phase_.learn.empty()) return check_trains_something();
    for (const LearnerConfig& learner : phase_.learn) check_is_reached(learner);
    for (const TransferConfig* transfer : transfers_) check_student_learns(*transfer);
  }

 private:
  void add(const char* key, const std::string& what) {
    const Node* node = table_.find(key);
    diagnostics_.add(node != nullptr ? node->place : phase_.place, phase_.key + "." + key, what);
  }

  void check_trains_something() {
    // Terms without a student, and an entry that is wrong, were told.
    const Node* learn = table_.find("learn");
    if (learn == nullptr || phase_.modules.empty()) return;
    if (!learn->is(Node::Kind::List) || learn->items.size() != phase_.modules.size()) return;
    add("learn", "trains nothing: it has no student; add one, as in \"" +
                     (experiment_.students.empty() ? "student" : experiment_.students[0].name) +
                     "\"");
  }

  /// Whether a term of the phase reaches the student, and with a weight.
  void check_is_reached(const LearnerConfig& learner) {
    bool reached = phase_.task;
    bool weighted = phase_.task && experiment_.task.weight > 0;
    for (const TransferConfig* transfer : transfers_) {
      if (!transfer->student.empty() && transfer->student != learner.student) continue;
      reached = true;
      weighted |= has_weight(*transfer);
    }
    const std::string student = quote_text(learner.student);
    if (!reached) {
      diagnostics_.add(learner.place, phase_.key + ".learn",
                       "no term of the phase reaches " + student +
                           "; add \"task\" or a transfer to it, or take it out");
    } else if (!weighted) {
      add("terms",
          "none that reaches " + student + " has a weight above 0: it would learn nothing");
    }
  }

  void check_student_learns(const TransferConfig& transfer) {
    const bool learns = std::any_of(
        phase_.learn.begin(), phase_.learn.end(),
        [&](const LearnerConfig& learner) { return learner.student == transfer.student; });
    if (learns || transfer.student.empty()) return;
    add("learn", "lacks " + quote_text(transfer.student) + ", which " + quote_text(transfer.name) +
                     " teaches; add it, or take that out of the phase's terms");
  }

  const Experiment& experiment_;
  const PhaseConfig& phase_;
  const Node& table_;
  Diagnostics& diagnostics_;
  std::vector<const TransferConfig*> transfers_;
};

bool is_trained(const Experiment& experiment, const std::string& student) {
  return std::any_of(experiment.phases.begin(), experiment.phases.end(), [&](const auto& phase) {
    return std::any_of(phase.learn.begin(), phase.learn.end(),
                       [&](const LearnerConfig& learner) { return learner.student == student; });
  });
}

/// A student that teaches in a phase which does not train it must have learnt before.
void check_teachers_have_learnt(Section& root, const Experiment& experiment) {
  std::vector<std::string> learnt;
  for (const NetworkConfig& student : experiment.students)
    if (student.weights) learnt.push_back(student.name);
  for (size_t i = 0; i < experiment.phases.size(); ++i) {
    const PhaseConfig& phase = experiment.phases[i];
    for (const LearnerConfig& learner : phase.learn) learnt.push_back(learner.student);
    for (const TransferConfig& transfer : experiment.transfers) {
      if (!is_among(phase.transfers, transfer.name)) continue;
      for (const std::string& teacher : transfer.teachers) {
        // One that no phase trains is told as such.
        if (!is_trained(experiment, teacher) || is_among(learnt, teacher)) continue;
        root.diagnostics().add(
            phase.place, phase.key,
            quote_text(teacher) + " teaches here by " + quote_text(transfer.name) +
                " and has learnt nothing: it has no weights, and no phase up to "
                "this one trains it; put such a phase before, or add it to learn");
      }
    }
  }
}

void check_transfers_are_used(Section& root, const Experiment& experiment) {
  for (size_t i = 0; i < experiment.transfers.size(); ++i) {
    const TransferConfig& transfer = experiment.transfers[i];
    const bool used = std::any_of(
        experiment.phases.begin(), experiment.phases.end(),
        [&](const PhaseConfig& phase) { return is_among(phase.transfers, transfer.name); });
    if (used || transfer.name.empty()) continue;
    root.diagnostics().add(root.node()->find("transfer")->items[i].place, transfer.key,
                           "no [[phase]] has " + quote_text(transfer.name) +
                               " among its terms; add it to one, or take it out");
  }
}

/// The usual phases train each student on the task and with all its transfers.
void check_usual_phases(Section& root, const Experiment& experiment) {
  if (experiment.task.weight > 0 || are_transfers_unread(*root.node())) return;
  const Node* weight = root.node()->find_path("task.weight");
  const bool one = experiment.students.size() < 2;
  for (const NetworkConfig& student : experiment.students) {
    const bool taught = std::any_of(
        experiment.transfers.begin(), experiment.transfers.end(), [&](const TransferConfig& each) {
          // One whose student is not known, which was told, may teach any.
          const bool reaches = one || each.student.empty() || each.student == student.name;
          return has_weight(each) && reaches;
        });
    if (taught) continue;
    root.diagnostics().add(
        weight != nullptr ? weight->place : root.place(), "task.weight = 0",
        one ? "no [[transfer]] has a weight either: the student would learn nothing"
            : "no [[transfer]] to " + quote_text(student.name) +
                  " has a weight either: it would learn nothing");
  }
}

}  // namespace

void check_phases(Section& root, const Experiment& experiment) {
  if (experiment.phases.empty()) return check_usual_phases(root, experiment);
  for (size_t i = 0; i < experiment.phases.size(); ++i) {
    const PhaseConfig& phase = experiment.phases[i];
    if (is_phase_unclear(root, experiment, phase, root.diagnostics())) continue;
    const Node& table = root.node()->find("phase")->items[i];
    PhaseCheck(experiment, phase, table, root.diagnostics()).check();
  }
  if (is_misspelt(*root.node(), "phase")) return;  // which phases there are is not known
  if (know_networks(*root.node(), experiment, root.diagnostics()).are_whole())
    check_teachers_have_learnt(root, experiment);
  check_transfers_are_used(root, experiment);
}

}  // namespace retort::host::config
