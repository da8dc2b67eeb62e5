#include "framework/config/keys/sides.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/name_list.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

/// The first view of a network; "" where there is no such network.
std::string first_view_of(const NetworkConfig* network) {
  return network == nullptr ? "" : network->views.front();
}

/// Reads the sides of one transfer.
class SidesReader {
 public:
  SidesReader(const Node& table, const Experiment& experiment, TransferConfig& transfer,
              Diagnostics& diagnostics)
      : table_(table),
        experiment_(experiment),
        transfer_(transfer),
        info_(transfer.strategy.info),
        diagnostics_(diagnostics) {}

  void read() {
    read_student();
    read_teachers();
    read_compared_views();
    check_copies();
    check_is_another();
  }

 private:
  std::string path_of(const char* key) const { return transfer_.key + "." + key; }
  bool is_known() const { return !info_.id.empty(); }
  bool needs_no_teacher() const {
    return is_known() && (info_.needs & RETORT_NEED_NO_TEACHER) != 0;
  }

  void read_student() {
    const std::vector<std::string> students = list_names(experiment_.students);
    const Node* node = table_.find("student");
    const std::string path = path_of("student");
    if (node == nullptr) {
      if (students.size() == 1) transfer_.student = students.front();
      if (students.size() > 1) {
        diagnostics_.add(
            table_.place, path,
            "missing; there are several students: " + join(students) +
                "; name the one that learns: student = " + quote_text(students.front()));
      }
      return;
    }
    GivenName given{"", path, node};
    if (!read_text(*node, path, given.name, "", diagnostics_)) return;
    if (is_among(list_names(experiment_.teachers), given.name)) {
      diagnostics_.add(node->place, subject(path, *node),
                       "is a teacher, and a teacher does not learn; make it a [[student]]");
      return;
    }
    transfer_.student = find_known(given, "student", students, diagnostics_);
  }

  void read_teachers() {
    const Node* node = table_.find("teacher");
    const std::string path = path_of("teacher");
    if (needs_no_teacher()) {
      if (node != nullptr) {
        diagnostics_.add(node->key_place, path, info_.id + " needs no teacher; remove it");
      }
      return;
    }
    if (node == nullptr) return use_default_teacher(path);
    std::vector<std::string> known = list_names(experiment_.teachers);
    for (std::string& student : list_names(experiment_.students)) {
      known.push_back(std::move(student));
    }
    for (const GivenName& given : read_name_list(*node, path, NameForm::OneOrList, diagnostics_)) {
      std::string name = find_known(given, "network", known, diagnostics_);
      if (!name.empty()) transfer_.teachers.push_back(std::move(name));
    }
    if (transfer_.teachers.empty()) transfer_.teachers = list_names(experiment_.teachers);
    if (transfer_.teachers.size() > 1 && (info_.needs & RETORT_NEED_FEATURES) != 0) {
      diagnostics_.add(node->place, path,
                       info_.id + " compares taps of one teacher; write a [[transfer]] for each");
    }
  }

  void use_default_teacher(const std::string& path) {
    std::vector<std::string> teachers = list_names(experiment_.teachers);
    if (teachers.size() > 1 && is_known()) {
      const bool features = (info_.needs & RETORT_NEED_FEATURES) != 0;
      diagnostics_.add(table_.place, path,
                       "missing; there are several teachers: " + join(teachers) +
                           (features ? "; name one: teacher = " + quote_text(teachers.front())
                                     : "; name one, or those that are averaged: teacher = " +
                                           write_list(teachers)));
    }
    // Where it is a mistake each counts as used.
    transfer_.teachers = std::move(teachers);
  }

  const NetworkConfig* find_student() const { return experiment_.find_network(transfer_.student); }
  const NetworkConfig* find_teacher() const {
    return transfer_.teachers.empty() ? nullptr
                                      : experiment_.find_network(transfer_.teachers.front());
  }

  /// Whether the network has the view; adds a mistake otherwise.
  bool check_seen(const NetworkConfig* network, const GivenName& given) {
    if (network == nullptr || is_among(network->views, given.name)) return true;
    diagnostics_.add(given.node->place, subject(given.path, *given.node),
                     quote_text(network->name) + " does not see it; add it to the views of " +
                         network->key + ", or take one of them: " + join(network->views));
    return false;
  }

  void use_view_of_student(const GivenName& given) {
    if (check_seen(find_student(), given)) transfer_.view_student = given.name;
  }

  void use_view_of_teachers(const GivenName& given) {
    bool good = !transfer_.teachers.empty();
    for (const std::string& teacher : transfer_.teachers) {
      good = good && check_seen(experiment_.find_network(teacher), given);
    }
    if (good) transfer_.view_teacher = given.name;
  }

  /// { student = ..., teacher = ... }
  void read_view_table(const Node& node, const std::string& path) {
    Section sides(&node, path, node.place, diagnostics_);
    GivenName student{"", path + ".student", sides.take("student")};
    GivenName teacher{"", path + ".teacher", sides.take("teacher")};
    sides.finish();
    if (teacher.node != nullptr && needs_no_teacher()) {
      diagnostics_.add(teacher.node->key_place, teacher.path,
                       info_.id + " needs no teacher; remove it");
      teacher.node = nullptr;
    }
    if (student.node != nullptr &&
        read_text(*student.node, student.path, student.name, "", diagnostics_)) {
      use_view_of_student(student);
    }
    if (teacher.node == nullptr) {
      check_teachers_share_view(path);
    } else if (read_text(*teacher.node, teacher.path, teacher.name, "", diagnostics_)) {
      use_view_of_teachers(teacher);
    }
  }

  void read_compared_views() {
    transfer_.view_student = first_view_of(find_student());
    transfer_.view_teacher = first_view_of(find_teacher());
    const Node* node = table_.find("view");
    GivenName both{"", path_of("view"), node};
    if (node == nullptr) {
      check_teachers_share_view(both.path);
    } else if (node->is(Node::Kind::Table)) {
      read_view_table(*node, both.path);
    } else if (!node->is(Node::Kind::Text)) {
      refuse_type(*node, both.path, "a view's name or { student = ..., teacher = ... }", "",
                  diagnostics_);
    } else if (read_text(*node, both.path, both.name, "", diagnostics_)) {
      use_view_of_student(both);
      use_view_of_teachers(both);
    }
  }

  /// By default the teachers are compared on the first one's first view.
  void check_teachers_share_view(const std::string& path) {
    if (table_.find("teacher") == nullptr) return;  // which ones is not settled
    for (const std::string& teacher : transfer_.teachers) {
      const NetworkConfig* network = experiment_.find_network(teacher);
      if (network == nullptr || is_among(network->views, transfer_.view_teacher)) continue;
      diagnostics_.add(table_.place, path,
                       "missing; " + quote_text(teacher) + " does not see " +
                           quote_text(transfer_.view_teacher) + ", the first view of " +
                           quote_text(transfer_.teachers.front()) +
                           "; name one that all of them see: view = { teacher = ... }");
      return;
    }
  }

  int64_t copies_of(const std::string& view) const {
    const ViewConfig* found = experiment_.data.find_view(view);
    return found == nullptr ? 1 : found->times;
  }

  const Place& place_of(const char* key) const {
    const Node* node = table_.find(key);
    return node != nullptr ? node->place : table_.place;
  }

  void check_copies() {
    if (transfer_.teachers.empty()) return;
    const int64_t of_student = copies_of(transfer_.view_student);
    const int64_t of_teacher = copies_of(transfer_.view_teacher);
    if (of_student == of_teacher) return;
    diagnostics_.add(place_of("view"), path_of("view"),
                     "the student's " + quote_text(transfer_.view_student) +
                         " has times = " + std::to_string(of_student) + " and the teacher's " +
                         quote_text(transfer_.view_teacher) + " " + std::to_string(of_teacher) +
                         "; they are compared copy by copy");
  }

  void check_is_another() {
    if (transfer_.student.empty() || transfer_.view_student != transfer_.view_teacher) return;
    if (!is_among(transfer_.teachers, transfer_.student)) return;
    diagnostics_.add(place_of("teacher"), path_of("teacher"),
                     "has the student itself, " + quote_text(transfer_.student) +
                         ", on the same view; name another network, or compare two of its views: "
                         "view = { student = ..., teacher = ... }");
  }

  const Node& table_;
  const Experiment& experiment_;
  TransferConfig& transfer_;
  const ComponentInfo& info_;
  Diagnostics& diagnostics_;
};

/// The transfer that needs a teacher where there is nobody.
void check_has_teacher(Section& root, const Experiment& experiment) {
  if (root.node()->find("teacher") != nullptr) return;
  const Node& list = *root.node()->find("transfer");
  for (size_t i = 0; i < experiment.transfers.size(); ++i) {
    const ComponentInfo& info = experiment.transfers[i].strategy.info;
    const bool needs_one = !info.id.empty() && (info.needs & RETORT_NEED_NO_TEACHER) == 0;
    if (!needs_one || list.items[i].find("teacher") != nullptr) continue;
    const std::vector<std::string> students = list_names(experiment.students);
    root.diagnostics().add(
        root.place(), "teacher",
        "missing, and transfer[" + std::to_string(i) + "] needs one; add [teacher] with a model" +
            (students.size() < 2
                 ? ""
                 : ", or name a peer in it: teacher = " + quote_text(students.back())));
    return;
  }
}

}  // namespace

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
  for (size_t i = 0; i < experiment.transfers.size(); ++i) {
    if (!list.items[i].is(Node::Kind::Table)) continue;
    SidesReader(list.items[i], experiment, experiment.transfers[i], root.diagnostics()).read();
  }
  check_has_teacher(root, experiment);
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
  const std::string of_student = first_view_of(experiment.find_network(transfer.student));
  const std::string of_teacher =
      teachers.empty() ? "" : first_view_of(experiment.find_network(teachers.front()));
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
