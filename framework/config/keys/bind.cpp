#include "framework/config/keys/bind.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/keys/transfer.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

/// The taps of one side: one name or a list of names.
std::optional<std::vector<std::string>> read_taps(const Node& node, const std::string& path,
                                                  Diagnostics& diagnostics) {
  std::vector<std::string> taps;
  const bool list = node.is(Node::Kind::List);
  if (!list && !node.is(Node::Kind::Text)) {
    refuse_type(node, path,
                "the name of a tap, a list of names, or { student = ..., teacher = ... }", "",
                diagnostics);
    return std::nullopt;
  }
  for (size_t i = 0; i < (list ? node.items.size() : 1); ++i) {
    const Node& item = list ? node.items[i] : node;
    const std::string item_path = list ? entry_path(path, i) : path;
    std::string tap;
    if (!read_text(item, item_path, tap, "", diagnostics)) return std::nullopt;
    if (tap.empty()) {
      diagnostics.add(item.place, subject(item_path, item), "must name a tap, as in \"layer2\"");
      return std::nullopt;
    }
    taps.push_back(std::move(tap));
  }
  if (taps.empty()) {
    diagnostics.add(node.place, path, "must name at least one tap");
    return std::nullopt;
  }
  return taps;
}

/// One side of a binding, where the file gives it.
bool read_side(const Node* node, const std::string& path, std::vector<std::string>& taps,
               Place& place, Diagnostics& diagnostics) {
  if (node == nullptr) return true;
  std::optional<std::vector<std::string>> read = read_taps(*node, path, diagnostics);
  if (!read) return false;
  taps = std::move(*read);
  place = node->place;
  return true;
}

void use_default_binding(TransferConfig& transfer) {
  const ComponentInfo& info = transfer.strategy.info;
  transfer.bind_student = info.bind_student.empty() ? info.bind_teacher : info.bind_student;
  transfer.bind_teacher = info.bind_teacher.empty() ? info.bind_student : info.bind_teacher;
  transfer.bind_student_place = transfer.strategy.place;
  transfer.bind_teacher_place = transfer.strategy.place;
}

bool read_both_sides(Section& section, const Node& node, TransferConfig& transfer) {
  const std::string path = section.key_path("bind");
  Diagnostics& diagnostics = section.diagnostics();
  if (!node.is(Node::Kind::Table)) {
    const bool good =
        read_side(&node, path, transfer.bind_student, transfer.bind_student_place, diagnostics);
    transfer.bind_teacher = transfer.bind_student;
    transfer.bind_teacher_place = transfer.bind_student_place;
    return good;
  }
  Section sides(&node, path, node.place, diagnostics);
  const Node* student = sides.take("student");
  const Node* teacher = sides.take("teacher");
  sides.finish();
  bool good = read_side(student, sides.key_path("student"), transfer.bind_student,
                        transfer.bind_student_place, diagnostics);
  good &= read_side(teacher, sides.key_path("teacher"), transfer.bind_teacher,
                    transfer.bind_teacher_place, diagnostics);
  return good;
}

/// Whether the group `stages` or `stages.preact` is among the names: how many taps it stands for is
/// known once the models are built.
bool names_stages(const std::vector<std::string>& taps) {
  return std::any_of(taps.begin(), taps.end(),
                     [](const std::string& tap) { return tap.starts_with("stages"); });
}

}  // namespace

void read_bind(Section& section, TransferConfig& transfer) {
  const ComponentInfo& info = transfer.strategy.info;
  const Node* node =
      section.take("bind", "text, list of texts, or { student = ..., teacher = ... }", "", "",
                   "taps that are compared; absent: the strategy's own");
  const std::string path = section.key_path("bind");
  if ((info.needs & RETORT_NEED_FEATURES) == 0) {
    if (node != nullptr) {
      section.diagnostics().add(node->key_place, path, info.id + " takes no features; remove it");
    }
    return;
  }
  use_default_binding(transfer);
  if (node != nullptr && !read_both_sides(section, *node, transfer)) return;
  const size_t students = transfer.bind_student.size();
  const size_t teachers = transfer.bind_teacher.size();
  const Place& place = node != nullptr ? node->place : section.place();
  if (students == 0 || teachers == 0) {
    section.diagnostics().add(
        place,
        students == 0 && teachers == 0 ? path : path + (students == 0 ? ".student" : ".teacher"),
        "missing; " + info.id + " takes features and has no default: bind = \"layer2\"");
  } else if (students != teachers && !names_stages(transfer.bind_student) &&
             !names_stages(transfer.bind_teacher)) {
    section.diagnostics().add(place, path,
                              "student has " + std::to_string(students) + " (" +
                                  join(transfer.bind_student) + ") and teacher " +
                                  std::to_string(teachers) + " (" + join(transfer.bind_teacher) +
                                  "); they are compared in pairs");
  }
}

std::string write_bind(const TransferConfig& transfer) {
  if (transfer.bind_student.empty()) return "";
  return write_line("bind",
                    write_braces({write_entry("student", write_list(transfer.bind_student)),
                                  write_entry("teacher", write_list(transfer.bind_teacher))}));
}

}  // namespace retort::host::config
