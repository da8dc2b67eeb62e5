#include "framework/config/keys/compared_views.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/name_list.hpp"

namespace retort::host::config {
namespace {

/// Reads the views of one transfer, whose student and teachers were read.
class ViewsReader {
 public:
  ViewsReader(const Node& table, const Experiment& experiment, bool are_teachers_known,
              TransferConfig& transfer, Diagnostics& diagnostics)
      : table_(table),
        experiment_(experiment),
        are_teachers_known_(are_teachers_known),
        transfer_(transfer),
        diagnostics_(diagnostics) {}

  void read() {
    if (are_names_shared()) return;
    read_views();
    if (!are_teachers_known_ || is_unclear(transfer_.key, "view", diagnostics_)) return;
    check_copies();
    check_is_another();
  }

 private:
  std::string path_of(const char* key) const { return transfer_.key + "." + key; }

  /// Whether a student and a teacher have the same name, which is told: who is meant is not known.
  bool are_names_shared() const {
    const std::vector<std::string> students = list_names(experiment_.students);
    const std::vector<std::string> teachers = list_names(experiment_.teachers);
    return std::any_of(teachers.begin(), teachers.end(),
                       [&](const std::string& teacher) { return is_among(students, teacher); });
  }

  const NetworkConfig* find_student() const {
    return transfer_.student.empty() ? nullptr : experiment_.find_network(transfer_.student);
  }
  const NetworkConfig* find_teacher() const {
    return transfer_.teachers.empty() ? nullptr
                                      : experiment_.find_network(transfer_.teachers.front());
  }

  /// Whether the network has the view; adds a mistake otherwise.
  bool check_seen(const NetworkConfig* network, const GivenName& given) {
    if (network == nullptr || is_among(network->views, given.name)) return true;
    if (are_views_unclear(network)) return true;
    diagnostics_.add(given.node->place, subject(given.path, *given.node),
                     quote_text(network->name) + " does not see it; add it to the views of " +
                         network->key + ", or take one of them: " + join(network->views));
    return false;
  }

  bool are_views_unclear(const NetworkConfig* network) const {
    return network != nullptr && is_unclear(network->key, "views", diagnostics_);
  }

  /// Whether there is a view of that name; adds a mistake otherwise, where a network's list of views
  /// may not have the same one.
  bool check_is_view(const GivenName& given) {
    KnownNames known = list_views(experiment_.data);
    known.whole &= !are_views_unclear(find_student());
    for (const std::string& teacher : transfer_.teachers)
      known.whole &= !are_views_unclear(experiment_.find_network(teacher));
    const std::string view = find_known(given, "view", known, diagnostics_);
    return !view.empty() && view == given.name;
  }

  void use_view_of_student(const GivenName& given) {
    if (check_seen(find_student(), given)) transfer_.view_student = given.name;
  }

  void use_view_of_teachers(const GivenName& given) {
    bool good = are_teachers_known_ && !transfer_.teachers.empty();
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
    if (node.items.empty()) {
      diagnostics_.add(node.place, path,
                       "must name at least one view; write { student = ..., teacher = ... }, or "
                       "leave it out for the first view of each");
    }
    if (teacher.node != nullptr && needs_no_teacher(transfer_)) {
      diagnostics_.add(teacher.node->key_place, teacher.path,
                       transfer_.strategy.info.id + " needs no teacher; remove it");
      teacher.node = nullptr;
    }
    if (student.node != nullptr &&
        read_text(*student.node, student.path, student.name, "", diagnostics_) &&
        check_is_view(student)) {
      use_view_of_student(student);
    }
    if (teacher.node == nullptr) {
      check_teachers_share_view(path);
    } else if (read_text(*teacher.node, teacher.path, teacher.name, "", diagnostics_) &&
               check_is_view(teacher)) {
      use_view_of_teachers(teacher);
    }
  }

  void read_views() {
    transfer_.view_student = find_first_view(find_student());
    transfer_.view_teacher = find_first_view(find_teacher());
    const Node* node = table_.find("view");
    GivenName both{"", path_of("view"), node};
    if (node == nullptr) {
      check_teachers_share_view(both.path);
    } else if (node->is(Node::Kind::Table)) {
      read_view_table(*node, both.path);
    } else if (!node->is(Node::Kind::Text)) {
      refuse_type(*node, both.path, "a view's name or { student = ..., teacher = ... }", "",
                  diagnostics_);
    } else if (read_text(*node, both.path, both.name, "", diagnostics_) && check_is_view(both)) {
      use_view_of_student(both);
      use_view_of_teachers(both);
    }
  }

  /// By default the teachers are compared on the first one's first view.
  void check_teachers_share_view(const std::string& path) {
    if (!are_teachers_known_) return;
    for (const std::string& teacher : transfer_.teachers) {
      const NetworkConfig* network = experiment_.find_network(teacher);
      if (network == nullptr || is_among(network->views, transfer_.view_teacher)) continue;
      if (are_views_unclear(network) || are_views_unclear(find_teacher())) continue;
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

  /// Whether it is not known how many copies of a sample the network sees.
  bool are_copies_unclear(const NetworkConfig* network, const std::string& view) const {
    return are_views_unclear(network) ||
           is_unclear("data.views." + key_text(view), "times", diagnostics_);
  }

  const Place& place_of(const char* key) const {
    const Node* node = table_.find(key);
    return node != nullptr ? node->place : table_.place;
  }

  void check_copies() {
    if (transfer_.teachers.empty()) return;
    if (are_copies_unclear(find_student(), transfer_.view_student)) return;
    if (are_copies_unclear(find_teacher(), transfer_.view_teacher)) return;
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
  const bool are_teachers_known_;
  TransferConfig& transfer_;
  Diagnostics& diagnostics_;
};

}  // namespace

void read_compared_views(const Node& table, const Experiment& experiment, bool are_teachers_known,
                         TransferConfig& transfer, Diagnostics& diagnostics) {
  ViewsReader(table, experiment, are_teachers_known, transfer, diagnostics).read();
}

std::string find_first_view(const NetworkConfig* network) {
  return network == nullptr ? "" : network->views.front();
}

}  // namespace retort::host::config
