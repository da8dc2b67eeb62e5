#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/sections.hpp"

namespace retort::host::config {
namespace {

void read_schedule_of_weight(Section section, WeightSchedule& weight) {
  const size_t mistakes = section.diagnostics().count();
  const auto read_end = [&](const char* key, double& end, const std::string& help) {
    const Node* node = section.take(key, "number", ">= 0", "", help);
    if (node == nullptr) return;
    read_real(*node, section.key_path(key), Range::at_least(0), end, "", section.diagnostics());
  };
  read_end("from", weight.from, "weight up to the first of the epochs");
  read_end("to", weight.to, "weight from the second of the epochs on");
  std::vector<double> epochs;
  const Node* node = section.reals("epochs", Range::at_least(0), epochs, "",
                                   "two epochs, from 0, between which the weight moves evenly");
  section.finish();
  if (!section.present() || section.diagnostics().count() != mistakes) return;
  for (const char* key : {"from", "to", "epochs"}) {
    if (section.node()->find(key) != nullptr) continue;
    section.diagnostics().add(section.place(), section.key_path(key),
                              "missing; write { from = 100, to = 0, epochs = [1, 2] }");
  }
  if (node == nullptr) return;
  if (epochs.size() != 2 || epochs[0] > epochs[1]) {
    section.diagnostics().add(node->place, section.key_path("epochs"),
                              "must be two epochs, the first not above the second, as in [1, 2]");
    return;
  }
  weight.begin_epoch = epochs[0];
  weight.end_epoch = epochs[1];
}

void read_weight(Section& section, WeightSchedule& weight) {
  const Node* node = section.take("weight", "number or table", ">= 0", "1",
                                  "factor of this term; loss = task + sum of weight * transfer");
  const std::string path = section.key_path("weight");
  if (section.schema() != nullptr) {
    WeightSchedule unused;
    read_schedule_of_weight(
        Section(nullptr, path, section.place(), section.diagnostics(), section.schema()), unused);
  }
  if (node == nullptr) return;
  if (node->is(Node::Kind::Table)) {
    read_schedule_of_weight(Section(node, path, node->place, section.diagnostics()), weight);
  } else if (node->is(Node::Kind::Integer) || node->is(Node::Kind::Real)) {
    read_real(*node, path, Range::at_least(0), weight.from, " (default 1)", section.diagnostics());
    weight.to = weight.from;
  } else {
    refuse_type(*node, path, "a number or { from = 100, to = 0, epochs = [1, 2] }", "",
                section.diagnostics());
  }
}

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
    const std::string item_path = list ? path + "[" + std::to_string(i) + "]" : path;
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

/// What the host's own numbers and tensors are called in metrics.jsonl, summary.csv, event files,
/// saved states and draws: a transfer of such a name would be taken for them.
const std::vector<std::string> kHostNames = {"task",
                                             "loss",
                                             "losses",
                                             "metrics",
                                             "phase",
                                             "epoch",
                                             "lr",
                                             "test_correct",
                                             "test_total",
                                             "validation_correct",
                                             "name",
                                             "top1",
                                             "validation_total",
                                             "versus_alone",
                                             "train_seconds",
                                             "student",
                                             "teacher",
                                             "alone",
                                             "distil",
                                             "data",
                                             "network",
                                             "transfer",
                                             "optimizer",
                                             "average",
                                             "metric",
                                             "student alone"};

void read_name(Section& section, std::set<std::string>& used, TransferConfig& transfer) {
  transfer.name = transfer.strategy.info.id;
  const Node* node =
      section.text("name", transfer.name, "in metrics and messages; absent: the strategy's id");
  if (node != nullptr && !check_name(*node, section.key_path("name"), section.diagnostics()))
    return;
  const bool is_host =
      std::find(kHostNames.begin(), kHostNames.end(), transfer.name) != kHostNames.end();
  if (used.insert(transfer.name).second && !is_host) return;
  const Node* blamed = node != nullptr ? node : section.node()->find("strategy");
  section.diagnostics().add(
      blamed->place, subject(section.key_path(node != nullptr ? "name" : "strategy"), *blamed),
      (is_host ? "is what metrics or saved states call a value of the host; give it another name: "
               : "an earlier transfer has this name; give one of them another: ") +
          ("name = " + quote_text(transfer.name + ".2")));
}

void read_transfer(Section section, const Catalog& catalog, std::set<std::string>& used,
                   TransferConfig& transfer) {
  const bool known =
      read_component(section, "strategy", RETORT_KIND_STRATEGY, catalog, transfer.strategy);
  read_weight(section, transfer.weight);
  for (const char* key : {"init", "teacher", "host"}) section.reserve(key);
  if (!known && section.schema() == nullptr) {
    const Node* name = section.text("name", transfer.name);
    if (name != nullptr) check_name(*name, section.key_path("name"), section.diagnostics());
    section.take("bind");
    return section.finish();
  }
  read_name(section, used, transfer);
  read_bind(section, transfer);
  read_options(section, transfer.strategy);
  section.finish();
}

}  // namespace

void read_transfers(Section& root, const Catalog& catalog, std::vector<TransferConfig>& transfers) {
  const Node* node = root.take("transfer");
  std::set<std::string> used;
  if (root.schema() != nullptr) {
    TransferConfig unused;
    read_transfer(Section(nullptr, "transfer[0]", root.place(), root.diagnostics(), root.schema()),
                  catalog, used, unused);
  }
  if (node == nullptr) return;
  if (!node->is(Node::Kind::List)) {
    root.diagnostics().add(node->place, subject("transfer", *node),
                           "must be a list: write [[transfer]] above each strategy");
    return;
  }
  for (size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    Section section(&item, "transfer[" + std::to_string(i) + "]", item.place, root.diagnostics());
    read_transfer(std::move(section), catalog, used, transfers.emplace_back());
  }
}

}  // namespace retort::host::config
