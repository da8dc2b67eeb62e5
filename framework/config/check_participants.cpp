#include "framework/config/check_participants.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/base/names.hpp"
#include "framework/config/name_list.hpp"

namespace retort::host::config {
namespace {

/// A network or transfer, and the value that gives it its name.
struct Named {
  std::string what;  // "teacher", "student", "transfer"
  std::string name;
  Place place;
  std::string subject;
};

Named make_named(const Section& root, const std::string& what, const std::string& key,
                 const std::string& name) {
  const Node& table = find_table(root, key);
  const char* from = what == "transfer" && table.find("name") == nullptr ? "strategy" : "name";
  const Node* node = table.find(from);
  if (node == nullptr) return {what, name, table.place, key};
  return {what, name, node->place, subject(key + "." + from, *node)};
}

/// Whether the name was refused by itself, as the host's for another.
bool is_refused(const Named& named) {
  return named.name.empty() || (named.name != named.what &&
                                (named.name == names::kTeacher || named.name == names::kStudent));
}

/// Networks and transfers, in the order of the file where one file has them.
std::vector<Named> list_named(const Section& root, const Experiment& experiment) {
  std::vector<Named> all;
  for (const NetworkConfig& teacher : experiment.teachers) {
    all.push_back(make_named(root, "teacher", teacher.key, teacher.name));
  }
  for (const NetworkConfig& student : experiment.students) {
    all.push_back(make_named(root, "student", student.key, student.name));
  }
  for (const TransferConfig& transfer : experiment.transfers) {
    all.push_back(make_named(root, "transfer", transfer.key, transfer.name));
  }
  const bool one_file = std::all_of(all.begin(), all.end(), [&](const Named& each) {
    return each.place.line > 0 && each.place.file == all.front().place.file;
  });
  if (one_file) {
    std::stable_sort(all.begin(), all.end(), [](const Named& a, const Named& b) {
      return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
    });
  }
  return all;
}

/// Terms and learners share files, rows and lists. That two transfers have one name is told by
/// their reader.
void check_names_differ(Section& root, const Experiment& experiment) {
  std::vector<Named> all = list_named(root, experiment);
  std::erase_if(all, is_refused);
  for (size_t i = 0; i < all.size(); ++i) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(i);
    const auto before = std::find_if(all.begin(), end,
                                     [&](const Named& other) { return other.name == all[i].name; });
    const bool transfers = before != end && before->what == "transfer" && all[i].what == "transfer";
    if (before == end || transfers) continue;
    root.diagnostics().add(
        all[i].place, all[i].subject,
        "an earlier " + before->what +
            " has this name; give one of them another: name = " + quote_text(all[i].name + ".2"));
  }
}

/// Where several students learn from the labels, each has a term of its own, "task.NAME".
void check_no_task_name(Section& root, const Experiment& experiment) {
  if (experiment.students.size() < 2) return;
  for (const TransferConfig& transfer : experiment.transfers) {
    for (const NetworkConfig& student : experiment.students) {
      if (transfer.name != std::string(names::kTask) + "." + student.name) continue;
      const Named named = make_named(root, "transfer", transfer.key, transfer.name);
      root.diagnostics().add(named.place, named.subject,
                             "is what the task of " + quote_text(student.name) +
                                 " is called in metrics; give it another name: name = " +
                                 quote_text(transfer.name + ".2"));
    }
  }
}

/// A single [teacher] may stand there to be trained and evaluated. Where the transfers could not be
/// read it is not known whom they use.
void check_networks_are_used(Section& root, const Experiment& experiment) {
  std::set<std::string> teach;
  for (const TransferConfig& transfer : experiment.transfers) {
    teach.insert(transfer.teachers.begin(), transfer.teachers.end());
  }
  std::set<std::string> learn;
  for (const PhaseConfig& phase : experiment.phases) {
    for (const LearnerConfig& learner : phase.learn) learn.insert(learner.student);
  }
  const auto add = [&](const std::string& what, const NetworkConfig& network,
                       const std::string& wrong) {
    const Named named = make_named(root, what, network.key, network.name);
    root.diagnostics().add(named.place, named.subject, wrong);
  };
  const bool unread = are_transfers_unread(*root.node());
  const bool may_idle = experiment.teachers.size() < 2 && experiment.phases.empty();
  for (const NetworkConfig& teacher : experiment.teachers) {
    if (may_idle || unread || teacher.name.empty() || teach.contains(teacher.name)) continue;
    add("teacher", teacher, "no [[transfer]] has it as its teacher; add one, or take it out");
  }
  const bool are_phases_known = !experiment.phases.empty() && !is_misspelt(*root.node(), "phase");
  for (const NetworkConfig& student : experiment.students) {
    if (!are_phases_known || student.name.empty() || learn.contains(student.name)) continue;
    add("student", student,
        teach.contains(student.name)
            ? "no [[phase]] trains it: a network that only teaches is a [[teacher]]"
            : "no [[phase]] trains it and no [[transfer]] has it as its teacher; take it out, or "
              "add it to a phase's learn");
  }
}

/// The first transfer that needs a teacher where there is nobody.
void check_has_teacher(Section& root, const Experiment& experiment) {
  if (root.node()->find("teacher") != nullptr || is_misspelt(*root.node(), "teacher")) return;
  for (const TransferConfig& transfer : experiment.transfers) {
    const bool is_known = !transfer.strategy.info.id.empty();
    const bool names_one = find_table(root, transfer.key).find("teacher") != nullptr;
    if (!is_known || needs_no_teacher(transfer) || names_one) continue;
    const std::vector<std::string> students = list_names(experiment.students);
    root.diagnostics().add(
        root.place(), "teacher",
        "missing, and " + transfer.key + " needs one; add [teacher] with a model" +
            (students.size() < 2
                 ? ""
                 : ", or name a peer in it: teacher = " + quote_text(students.back())));
    return;
  }
}

}  // namespace

const Node& find_table(const Section& root, const std::string& key) {
  const size_t bracket = std::min(key.find('['), key.size());
  const Node& node = *root.node()->find(key.substr(0, bracket));
  return bracket == key.size() ? node : node.items[std::stoul(key.substr(bracket + 1))];
}

void check_needed_networks(Section& root, const Experiment& experiment) {
  check_has_teacher(root, experiment);
  if (root.node()->find("student") != nullptr || is_misspelt(*root.node(), "student")) return;
  root.diagnostics().add(root.place(), "student", "missing; add [student] with a model");
}

void check_participants(Section& root, const Experiment& experiment) {
  check_names_differ(root, experiment);
  check_no_task_name(root, experiment);
  check_networks_are_used(root, experiment);
}

}  // namespace retort::host::config
