#include "framework/config/keys/learn.hpp"

#include <algorithm>
#include <utility>

#include "framework/config/experiment.hpp"
#include "framework/config/name_list.hpp"

namespace retort::host::config {
namespace {

constexpr char kUpTo = ':';  // of "student:layer2"; no name may hold it

/// Every student that a term reaches, whole, and the modules of every transfer. A transfer whose
/// student is not known may reach any.
void use_default_learners(const Experiment& experiment, PhaseConfig& phase) {
  for (const NetworkConfig& student : experiment.students) {
    const bool is_taught = std::any_of(
        experiment.transfers.begin(), experiment.transfers.end(), [&](const TransferConfig& each) {
          const bool reaches = each.student.empty() || each.student == student.name;
          return reaches && is_among(phase.transfers, each.name);
        });
    if (phase.task || is_taught) phase.learn.push_back({student.name, "", phase.place});
  }
  phase.modules = phase.transfers;
}

/// Reads the entries of one list.
class LearnReader {
 public:
  LearnReader(const Experiment& experiment, const PhaseNames& names, PhaseConfig& phase,
              Diagnostics& diagnostics)
      : names_(names),
        teachers_(list_names(experiment.teachers)),
        phase_(phase),
        diagnostics_(diagnostics) {}

  /// Whether it is understood who is meant.
  bool read(const GivenName& given) {
    const size_t colon = std::min(given.name.find(kUpTo), given.name.size());
    const bool has_tap = colon < given.name.size();
    const GivenName who{given.name.substr(0, colon), given.path, given.node};
    const std::string tap = has_tap ? given.name.substr(colon + 1) : "";
    if (is_among(teachers_, who.name) && !is_among(names_.students.names, who.name)) {
      add(given, "a teacher does not learn; make it a [[student]]");
      return false;
    }
    KnownNames known = names_.students;
    const KnownNames& transfers = names_.transfers;
    known.names.insert(known.names.end(), transfers.names.begin(), transfers.names.end());
    known.whole &= transfers.whole;
    const std::string name = find_known(who, "student or transfer", known, diagnostics_);
    if (is_among(names_.students.names, name)) {
      read_student(given, name, tap, has_tap);
    } else if (!name.empty()) {
      read_modules(given, name, has_tap);
    }
    return !name.empty();
  }

  /// Every student that the list did not name.
  void add_others() {
    for (const std::string& student : names_.students.names)
      if (!is_learner(student)) phase_.learn.push_back({student, "", phase_.place});
  }

 private:
  bool is_learner(const std::string& student) const {
    return std::any_of(phase_.learn.begin(), phase_.learn.end(),
                       [&](const LearnerConfig& before) { return before.student == student; });
  }

  void add(const GivenName& given, const std::string& what) {
    diagnostics_.add(given.node->place, subject(given.path, *given.node), what);
  }

  void read_student(const GivenName& given, const std::string& name, const std::string& tap,
                    bool has_tap) {
    if (is_learner(name)) return add(given, "has " + quote_text(name) + " again; name it once");
    if (has_tap && tap.empty()) {
      add(given, "names no tap; write " + quote_text(name + ":layer2") + ", or " +
                     quote_text(name) + " for the whole network");
    }
    phase_.learn.push_back({name, tap, given.node->place});
  }

  void read_modules(const GivenName& given, const std::string& name, bool has_tap) {
    if (has_tap) {
      add(given, "is a transfer, whose modules have no taps; write " + quote_text(name));
    } else if (!is_among(phase_.transfers, name)) {
      add(given, "is not among the phase's terms; add it to " + phase_.key +
                     ".terms, or take it out here");
    }
    phase_.modules.push_back(name);
  }

  const PhaseNames& names_;
  const std::vector<std::string> teachers_;
  PhaseConfig& phase_;
  Diagnostics& diagnostics_;
};

}  // namespace

void read_learn(Section& phase_section, const Experiment& experiment, const PhaseNames& names,
                PhaseConfig& phase) {
  const Node* node = phase_section.take(
      "learn", "list of names", "", "",
      "who is trained: a student, \"student:TAP\" for it up to a tap, a transfer for its own "
      "modules; absent: all that its terms reach");
  if (node == nullptr) return use_default_learners(experiment, phase);
  Diagnostics& diagnostics = phase_section.diagnostics();
  const std::vector<GivenName> all =
      read_name_list(*node, phase_section.key_path("learn"), NameForm::List, diagnostics);
  LearnReader reader(experiment, names, phase, diagnostics);
  bool understood = are_all(all, *node);
  for (const GivenName& given : all) understood &= reader.read(given);
  if (!understood) reader.add_others();
}

std::vector<std::string> list_learners(const PhaseConfig& phase) {
  std::vector<std::string> names;
  for (const LearnerConfig& learner : phase.learn) {
    names.push_back(learner.student + (learner.up_to.empty() ? "" : kUpTo + learner.up_to));
  }
  names.insert(names.end(), phase.modules.begin(), phase.modules.end());
  return names;
}

}  // namespace retort::host::config
