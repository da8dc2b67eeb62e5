#include <cmath>
#include <string>
#include <vector>

#include "framework/config/sections.hpp"
#include "framework/config/suggest.hpp"

namespace retort::host::config {
namespace {

const std::vector<std::string> kOptimizers = {"sgd", "adam", "adamw"};
const std::vector<std::string> kSchedules = {"constant", "step", "multistep", "cosine"};

OptimizerConfig optimizer_defaults(OptimizerConfig::Kind kind) {
  OptimizerConfig optimizer;
  optimizer.kind = kind;
  if (kind == OptimizerConfig::Kind::Sgd) return optimizer;
  optimizer.lr = 1e-3;
  optimizer.weight_decay = kind == OptimizerConfig::Kind::AdamW ? 0.01 : 0;
  return optimizer;
}

void read_betas(Section& section, OptimizerConfig& optimizer) {
  std::vector<double> betas = {optimizer.beta1, optimizer.beta2};
  const Node* node = read_reals(section, "betas", Range::below_one(), betas);
  if (node == nullptr) return;
  if (betas.size() != 2) {
    section.diagnostics().add(node->place, section.path_of("betas"),
                              "must be two numbers (default [0.9, 0.999])");
    return;
  }
  optimizer.beta1 = betas[0];
  optimizer.beta2 = betas[1];
}

void read_optimizer(Section section, OptimizerConfig& optimizer) {
  using Kind = OptimizerConfig::Kind;
  auto position = static_cast<int64_t>(optimizer.kind);
  section.choice("name", kOptimizers, position);
  const auto kind = static_cast<Kind>(position);
  if (kind != optimizer.kind) optimizer = optimizer_defaults(kind);
  const std::string& name = kOptimizers[static_cast<size_t>(position)];

  section.real("lr", Range::above(0), optimizer.lr);
  section.real("weight_decay", Range::at_least(0), optimizer.weight_decay);
  if (kind == Kind::Sgd) {
    section.real("momentum", Range::below_one(), optimizer.momentum);
    const Node* nesterov = section.boolean("nesterov", optimizer.nesterov);
    for (const char* key : {"betas", "eps"}) section.refuse(key, "sgd has none; adam and adamw do");
    if (optimizer.nesterov && optimizer.momentum == 0) {
      section.diagnostics().add(nesterov != nullptr ? nesterov->place : section.place(),
                                section.path_of("nesterov") + " = true", "needs momentum > 0");
    }
  } else {
    read_betas(section, optimizer);
    section.real("eps", Range::above(0), optimizer.eps);
    for (const char* key : {"momentum", "nesterov"})
      section.refuse(key, name + " has none; sgd does");
  }
  section.finish();
}

void read_milestones(Section& section, ScheduleConfig& schedule) {
  const std::string path = section.path_of("milestones");
  const Node* node = section.take("milestones");
  if (node == nullptr) {
    if (schedule.milestones.empty() && section.present()) {
      section.diagnostics().add(section.place(), path,
                                "missing; the epochs at which the rate drops, as in [150, 180]");
    }
    return;
  }
  if (!node->is(Node::Kind::List) || node->items.empty()) {
    section.diagnostics().add(node->place, subject(path, *node),
                              "must be a list of epochs, as in [150, 180]");
    return;
  }
  schedule.milestones.clear();
  for (size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    const std::string item_path = path + "[" + std::to_string(i) + "]";
    int64_t epoch = 0;
    if (!read_integer(item, item_path, Range::at_least(1), epoch, "", section.diagnostics()))
      continue;
    if (!schedule.milestones.empty() && epoch <= schedule.milestones.back()) {
      section.diagnostics().add(item.place, subject(item_path, item),
                                "must be above the one before");
    }
    schedule.milestones.push_back(epoch);
  }
}

void read_schedule(Section section, ScheduleConfig& schedule) {
  using Kind = ScheduleConfig::Kind;
  auto position = static_cast<int64_t>(schedule.kind);
  section.choice("name", kSchedules, position);
  const auto kind = static_cast<Kind>(position);
  if (kind != schedule.kind) {
    schedule = {};
    schedule.kind = kind;
  }
  section.real("warmup_epochs", Range::at_least(0), schedule.warmup_epochs);
  const bool drops = kind == Kind::Step || kind == Kind::Multistep;
  const std::string none = kSchedules[static_cast<size_t>(position)] + " has none; ";
  if (drops) section.real("gamma", {0.0, 1.0, true, false}, schedule.gamma);
  if (kind == Kind::Step) section.integer("step_epochs", Range::at_least(1), schedule.step_epochs);
  if (kind == Kind::Multistep) read_milestones(section, schedule);
  if (kind == Kind::Cosine) section.real("min_lr", Range::at_least(0), schedule.min_lr);
  if (!drops) section.refuse("gamma", none + "step and multistep do");
  if (kind != Kind::Step) section.refuse("step_epochs", none + "step does");
  if (kind != Kind::Multistep) section.refuse("milestones", none + "multistep does");
  if (kind != Kind::Cosine) section.refuse("min_lr", none + "cosine does");
  section.finish();
}

/// Adds a mistake about a key of the schedule, placed there where the file has it.
void add_schedule_mistake(Section& section, const std::string& key, double value,
                          const std::string& what) {
  const Node* schedule = section.present() ? section.node()->find("schedule") : nullptr;
  const Node* node = schedule != nullptr ? schedule->find(key) : nullptr;
  section.diagnostics().add(node != nullptr ? node->place : section.place(),
                            section.path_of("schedule") + "." + key + " = " + real_text(value),
                            what);
}

/// What fits no single key: the warm-up and the epochs, the last rate and the first.
void check_together(Section& section, const TrainConfig& train) {
  const ScheduleConfig& schedule = train.schedule;
  if (schedule.warmup_epochs > 0 && schedule.warmup_epochs >= static_cast<double>(train.epochs)) {
    add_schedule_mistake(section, "warmup_epochs", schedule.warmup_epochs,
                         "the warm-up must end before the training does, after epoch " +
                             std::to_string(train.epochs));
  }
  if (schedule.min_lr > train.optimizer.lr) {
    add_schedule_mistake(section, "min_lr", schedule.min_lr,
                         "must be <= the rate at the start, " + real_text(train.optimizer.lr));
  }
}

void read_no_decay(Section& section, TrainConfig& train) {
  std::vector<std::string> names;
  const Node* node = read_texts(section, "no_decay", names);
  if (node == nullptr) return;
  train.decay_bias = true;
  train.decay_norm = true;
  for (size_t i = 0; i < names.size(); ++i) {
    int64_t position = 0;
    const std::string path = section.path_of("no_decay") + "[" + std::to_string(i) + "]";
    if (!read_choice(node->items[i], path, {"bias", "bn"}, position, "", section.diagnostics()))
      continue;
    (position == 0 ? train.decay_bias : train.decay_norm) = false;
  }
}

}  // namespace

void read_train(Section section, TrainConfig& train) {
  const size_t mistakes = section.diagnostics().count();
  section.integer("epochs", Range::between(1, 1000000), train.epochs);
  read_optimizer(section.section("optimizer"), train.optimizer);
  read_schedule(section.section("schedule"), train.schedule);
  double clip_norm = 0;
  const Node* clip = section.take("clip_norm");
  if (clip != nullptr && read_real(*clip, section.path_of("clip_norm"), Range::above(0), clip_norm,
                                   "; leave it out to clip nothing", section.diagnostics())) {
    train.clip_norm = clip_norm;
  }
  section.real("label_smoothing", Range::below_one(), train.label_smoothing);
  read_no_decay(section, train);
  section.integer("eval_batch_size", Range::between(1, 1 << 20), train.eval_batch_size);
  for (const char* key : {"accumulate", "ema"}) section.refuse(key, "is not built yet");
  section.finish();
  const bool good = section.diagnostics().count() == mistakes;
  if (good && section.present()) check_together(section, train);
}

}  // namespace retort::host::config
