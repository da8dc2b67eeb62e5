#include "framework/config/keys/sides.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/keys/compared_views.hpp"
#include "framework/config/name_list.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

/// Reads the sides of one transfer.
class SidesReader {
 public:
  SidesReader(const Node& table, const NetworkNames& names, const Experiment& experiment,
              TransferConfig& transfer, Diagnostics& diagnostics)
      : table_(table),
        students_(names.students),
        teachers_(names.teachers),
        experiment_(experiment),
        transfer_(transfer),
        info_(transfer.strategy.info),
        diagnostics_(diagnostics) {}

  void read() {
    read_student();
    read_teachers();
    read_compared_views(table_, experiment_, are_teachers_known_, transfer_, diagnostics_);
  }

 private:
  std::string path_of(const char* key) const { return transfer_.key + "." + key; }
  bool is_known() const { return !info_.id.empty(); }

  /// Whether a key is missing: it is no other one that is misspelt, and the strategy is known.
  bool is_missing(const char* key) const {
    return is_known() && !is_unclear(transfer_.key, key, diagnostics_);
  }

  void read_student() {
    const std::vector<std::string>& students = students_.names;
    const Node* node = table_.find("student");
    const std::string path = path_of("student");
    if (node == nullptr) {
      if (students.size() == 1) transfer_.student = students.front();
      if (students.size() > 1 && is_missing("student")) {
        diagnostics_.add(
            table_.place, path,
            "missing; there are several students: " + join(students) +
                "; name the one that learns: student = " + quote_text(students.front()));
      }
      return;
    }
    GivenName given{"", path, node};
    if (!read_text(*node, path, given.name, "", diagnostics_)) return;
    if (is_among(teachers_.names, given.name) && !is_among(students, given.name)) {
      diagnostics_.add(node->place, subject(path, *node),
                       "is a teacher, and a teacher does not learn; make it a [[student]]");
      return;
    }
    transfer_.student = find_known(given, "student", students_, diagnostics_);
  }

  void read_teachers() {
    const Node* node = table_.find("teacher");
    const std::string path = path_of("teacher");
    if (needs_no_teacher(transfer_)) {
      if (node != nullptr) {
        diagnostics_.add(node->key_place, path, info_.id + " needs no teacher; remove it");
      }
      return;
    }
    if (node == nullptr) return use_default_teacher(path);
    KnownNames known = teachers_;
    known.names.insert(known.names.end(), students_.names.begin(), students_.names.end());
    known.whole &= students_.whole;
    const std::vector<GivenName> all =
        read_name_list(*node, path, NameForm::OneOrList, diagnostics_);
    are_teachers_known_ = are_all(all, *node);
    for (const GivenName& given : all) {
      std::string name = find_known(given, "network", known, diagnostics_);
      are_teachers_known_ &= !name.empty();
      if (!name.empty()) transfer_.teachers.push_back(std::move(name));
    }
    if (!are_teachers_known_) return use_all_teachers();
    if (transfer_.teachers.size() > 1 && (info_.needs & RETORT_NEED_FEATURES) != 0) {
      diagnostics_.add(node->place, path,
                       info_.id + " compares taps of one teacher; write a [[transfer]] for each");
    }
  }

  void use_default_teacher(const std::string& path) {
    const std::vector<std::string>& teachers = teachers_.names;
    if (teachers.size() > 1 && is_missing("teacher")) {
      const bool features = (info_.needs & RETORT_NEED_FEATURES) != 0;
      diagnostics_.add(table_.place, path,
                       "missing; there are several teachers: " + join(teachers) +
                           (features ? "; name one: teacher = " + quote_text(teachers.front())
                                     : "; name one, or those that are averaged: teacher = " +
                                           write_list(teachers)));
    }
    are_teachers_known_ = is_known() && teachers.size() < 2;
    use_all_teachers();
  }

  /// Where it is a mistake each counts as used.
  void use_all_teachers() {
    for (const std::string& teacher : teachers_.names)
      if (!is_among(transfer_.teachers, teacher)) transfer_.teachers.push_back(teacher);
  }

  const Node& table_;
  const KnownNames& students_;
  const KnownNames& teachers_;
  const Experiment& experiment_;
  TransferConfig& transfer_;
  const ComponentInfo& info_;
  Diagnostics& diagnostics_;
  bool are_teachers_known_ = true;
};

}  // namespace

NetworkNames know_networks(const Node& root, const Experiment& experiment,
                           const Diagnostics& diagnostics) {
  NetworkNames known = {know_names(experiment.students, diagnostics),
                        know_names(experiment.teachers, diagnostics)};
  const std::vector<std::string>& teachers = known.teachers.names;
  const bool differ = std::none_of(teachers.begin(), teachers.end(), [&](const std::string& name) {
    return is_among(known.students.names, name);
  });
  known.teachers.whole &= differ && !is_misspelt(root, "teacher");
  known.students.whole &= differ && !is_misspelt(root, "student") && !experiment.students.empty();
  return known;
}

void take_sides(Section& transfer) {
  transfer.take("student", "text", "", "", "the network that learns; absent: the only student");
  transfer.take("teacher", "text or list of texts", "", "",
                "whom it learns from: a teacher or another student; of several, the mean of their "
                "probabilities; absent: the only teacher");
  transfer.take("view", "text, or { student = ..., teacher = ... }", "", "",
                "what is compared; absent: the first view of each");
}

void read_sides(Section& root, Experiment& experiment) {
  if (experiment.transfers.empty()) return;
  const Node& list = *root.node()->find("transfer");
  const NetworkNames names = know_networks(*root.node(), experiment, root.diagnostics());
  for (size_t i = 0; i < experiment.transfers.size(); ++i) {
    if (!list.items[i].is(Node::Kind::Table)) continue;
    SidesReader(list.items[i], names, experiment, experiment.transfers[i], root.diagnostics())
        .read();
  }
}

std::string write_sides(const TransferConfig& transfer, const Experiment& experiment) {
  std::string text;
  const std::vector<std::string>& teachers = transfer.teachers;
  if (experiment.students.size() > 1 && !transfer.student.empty()) {
    text += write_line("student", write_value(transfer.student));
  }
  const std::vector<std::string> usual = list_names(experiment.teachers);
  if (!teachers.empty() && (usual.size() > 1 || teachers != usual)) {
    text += write_line("teacher",
                       teachers.size() == 1 ? write_value(teachers.front()) : write_list(teachers));
  }
  const std::string of_student = find_first_view(experiment.find_network(transfer.student));
  const std::string of_teacher =
      teachers.empty() ? "" : find_first_view(experiment.find_network(teachers.front()));
  const std::string& student = transfer.view_student;
  const std::string& teacher = transfer.view_teacher;
  const bool usual_student = student.empty() || student == of_student;
  const bool usual_teacher = teacher.empty() || teacher == of_teacher;
  if (usual_student && usual_teacher) return text;
  if (teachers.empty() || student == teacher) {
    return text + write_line("view", write_value(student));
  }
  return text + write_line("view", write_braces({write_entry("student", write_value(student)),
                                                 write_entry("teacher", write_value(teacher))}));
}

}  // namespace retort::host::config
