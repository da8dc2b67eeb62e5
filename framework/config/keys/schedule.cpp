#include "framework/config/keys/schedule.hpp"

#include "framework/config/enum_names.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

using ScheduleKind = ScheduleConfig::Kind;

constexpr EnumNames<ScheduleKind, 4> kScheduleNames = {{"constant", "step", "multistep", "cosine"}};

bool has_gamma(ScheduleKind kind) {
  return kind == ScheduleKind::Step || kind == ScheduleKind::Multistep;
}

void read_milestones(Section& section, ScheduleConfig& schedule) {
  const std::string path = section.key_path("milestones");
  Diagnostics& diagnostics = section.diagnostics();
  const Node* node = section.take("milestones", "list of integers", ">= 1, rising", "",
                                  "multistep: epochs at which the rate drops");
  if (node == nullptr) {
    if (schedule.kind == ScheduleKind::Multistep && schedule.milestones.empty() &&
        section.present()) {
      diagnostics.add(section.place(), path,
                      "missing; the epochs at which the rate drops, as in [150, 180]");
    }
    return;
  }
  if (!node->is(Node::Kind::List) || node->items.empty()) {
    diagnostics.add(node->place, subject(path, *node),
                    "must be a list of epochs, as in [150, 180]");
    return;
  }
  schedule.milestones.clear();
  for (size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    const std::string item_path = entry_path(path, i);
    int64_t epoch = 0;
    if (!read_integer(item, item_path, Range::at_least(1), epoch, "", diagnostics)) continue;
    if (!schedule.milestones.empty() && epoch <= schedule.milestones.back()) {
      diagnostics.add(item.place, subject(item_path, item), "must be above the one before");
    }
    schedule.milestones.push_back(epoch);
  }
}

}  // namespace

void read_schedule(Section section, ScheduleConfig& schedule) {
  ScheduleKind kind = schedule.kind;
  kScheduleNames.read(section, "name", kind,
                      "the rate over the epochs; \"cosine\" alone may stand for the table");
  if (kind != schedule.kind) {
    schedule = {};
    schedule.kind = kind;
  }
  section.real("warmup_epochs", Range::at_least(0), schedule.warmup_epochs,
               "epochs in which the rate rises from 0");
  const std::string none = std::string(kScheduleNames[kind]) + " has none; ";
  section.refuse_rest(has_gamma(kind) ? "" : none + "step and multistep do");
  section.real("gamma", Range::above_up_to(0, 1), schedule.gamma,
               "step, multistep: factor of a drop");
  section.refuse_rest(kind == ScheduleKind::Step ? "" : none + "step does");
  section.integer("step_epochs", Range::at_least(1), schedule.step_epochs,
                  "step: epochs between two drops");
  section.refuse_rest(kind == ScheduleKind::Multistep ? "" : none + "multistep does");
  read_milestones(section, schedule);
  section.refuse_rest(kind == ScheduleKind::Cosine ? "" : none + "cosine does");
  section.real("min_lr", Range::at_least(0), schedule.min_lr, "cosine: the rate at the end");
  section.finish();
}

std::string write_schedule(const ScheduleConfig& schedule) {
  const ScheduleKind kind = schedule.kind;
  std::vector<std::string> entries = {write_entry("name", write_value(kScheduleNames[kind]))};
  if (kind == ScheduleKind::Step) {
    entries.push_back(write_entry("step_epochs", write_value(schedule.step_epochs)));
  }
  if (kind == ScheduleKind::Multistep) {
    entries.push_back(write_entry("milestones", write_list(schedule.milestones)));
  }
  if (has_gamma(kind)) entries.push_back(write_entry("gamma", write_value(schedule.gamma)));
  if (kind == ScheduleKind::Cosine) {
    entries.push_back(write_entry("min_lr", write_value(schedule.min_lr)));
  }
  entries.push_back(write_entry("warmup_epochs", write_value(schedule.warmup_epochs)));
  return write_braces(entries);
}

}  // namespace retort::host::config
