#include <cmath>
#include <string>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/sections.hpp"

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
  const Node* node = section.reals("betas", Range::below_one(), betas, "[0.9, 0.999]",
                                   "adam, adamw: decay of the gradient's two moving averages");
  if (node == nullptr) return;
  if (betas.size() != 2) {
    section.diagnostics().add(node->place, section.key_path("betas"),
                              "must be two numbers (default [0.9, 0.999])");
    return;
  }
  optimizer.beta1 = betas[0];
  optimizer.beta2 = betas[1];
}

void read_optimizer(Section section, OptimizerConfig& optimizer) {
  using Kind = OptimizerConfig::Kind;
  auto position = static_cast<int64_t>(optimizer.kind);
  section.choice("name", kOptimizers, position,
                 "what steps; \"sgd\" alone may stand for the table");
  const auto kind = static_cast<Kind>(position);
  if (kind != optimizer.kind) optimizer = optimizer_defaults(kind);
  const std::string& name = kOptimizers[static_cast<size_t>(position)];
  const bool sgd = kind == Kind::Sgd;

  section.real("lr", Range::above(0), optimizer.lr, "learning rate; adam, adamw: 0.001");
  section.real("weight_decay", Range::at_least(0), optimizer.weight_decay,
               "pull of the weights to 0; adam: 0, adamw: 0.01");
  section.refuse_rest(sgd ? "" : name + " has none; sgd does");
  section.real("momentum", Range::below_one(), optimizer.momentum, "sgd: share of the last step");
  const Node* nesterov = section.boolean("nesterov", optimizer.nesterov, "sgd: looks ahead");
  section.refuse_rest(sgd ? "sgd has none; adam and adamw do" : "");
  read_betas(section, optimizer);
  section.real("eps", Range::above(0), optimizer.eps, "adam, adamw: keeps the divisor above 0");
  if (sgd && optimizer.nesterov && optimizer.momentum == 0) {
    section.diagnostics().add(nesterov != nullptr ? nesterov->place : section.place(),
                              section.key_path("nesterov") + " = true", "needs momentum > 0");
  }
  section.finish();
}

void read_milestones(Section& section, ScheduleConfig& schedule) {
  const std::string path = section.key_path("milestones");
  const Node* node = section.take("milestones", "list of integers", ">= 1, rising", "",
                                  "multistep: epochs at which the rate drops");
  if (node == nullptr) {
    if (schedule.kind == ScheduleConfig::Kind::Multistep && schedule.milestones.empty() &&
        section.present()) {
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
  section.choice("name", kSchedules, position,
                 "the rate over the epochs; \"cosine\" alone may stand for the table");
  const auto kind = static_cast<Kind>(position);
  if (kind != schedule.kind) {
    schedule = {};
    schedule.kind = kind;
  }
  section.real("warmup_epochs", Range::at_least(0), schedule.warmup_epochs,
               "epochs in which the rate rises from 0");
  const std::string none = kSchedules[static_cast<size_t>(position)] + " has none; ";
  section.refuse_rest(
      kind == Kind::Step || kind == Kind::Multistep ? "" : none + "step and multistep do");
  section.real("gamma", Range::above_up_to(0, 1), schedule.gamma,
               "step, multistep: factor of a drop");
  section.refuse_rest(kind == Kind::Step ? "" : none + "step does");
  section.integer("step_epochs", Range::at_least(1), schedule.step_epochs,
                  "step: epochs between two drops");
  section.refuse_rest(kind == Kind::Multistep ? "" : none + "multistep does");
  read_milestones(section, schedule);
  section.refuse_rest(kind == Kind::Cosine ? "" : none + "cosine does");
  section.real("min_lr", Range::at_least(0), schedule.min_lr, "cosine: the rate at the end");
  section.finish();
}

/// Adds a mistake about a key of the schedule, placed there where the file has it.
void add_schedule_mistake(Section& section, const std::string& key, double value,
                          const std::string& what) {
  const Node* schedule = section.present() ? section.node()->find("schedule") : nullptr;
  const Node* node = schedule != nullptr ? schedule->find(key) : nullptr;
  section.diagnostics().add(node != nullptr ? node->place : section.place(),
                            section.key_path("schedule") + "." + key + " = " + real_text(value),
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
  const Node* node = section.texts("no_decay", names, "what has no weight decay: \"bias\", \"bn\"");
  if (node == nullptr) return;
  train.decay_bias = true;
  train.decay_norm = true;
  for (size_t i = 0; i < names.size(); ++i) {
    int64_t position = 0;
    const std::string path = section.key_path("no_decay") + "[" + std::to_string(i) + "]";
    if (!read_choice(node->items[i], path, {"bias", "bn"}, position, "", section.diagnostics()))
      continue;
    (position == 0 ? train.decay_bias : train.decay_norm) = false;
  }
}

}  // namespace

void read_train(Section section, TrainConfig& train) {
  const size_t mistakes = section.diagnostics().count();
  section.integer("epochs", Range::between(1, 1000000), train.epochs,
                  "passes over the training split");
  read_optimizer(section.section("optimizer"), train.optimizer);
  read_schedule(section.section("schedule"), train.schedule);
  double clip_norm = 0;
  const Node* clip = section.take("clip_norm", "number", "> 0", "",
                                  "longest gradient, of all parameters together; absent: any");
  if (clip != nullptr && read_real(*clip, section.key_path("clip_norm"), Range::above(0), clip_norm,
                                   "; leave it out to clip nothing", section.diagnostics())) {
    train.clip_norm = clip_norm;
  }
  section.real("label_smoothing", Range::below_one(), train.label_smoothing,
               "share of the label that goes to all classes in the cross-entropy");
  read_no_decay(section, train);
  section.integer("eval_batch_size", Range::between(1, 1 << 20), train.eval_batch_size,
                  "images a batch in evaluation; it changes speed alone");
  section.integer("accumulate", Range::between(1, 1 << 20), train.accumulate,
                  "batches whose mean gradient makes one step; an epoch's last step takes what is "
                  "left");
  section.real("ema", Range::below_one(), train.ema,
               "decay of a moving average of the weights that is evaluated too; 0: none");
  section.integer("early_stop", Range::at_least(0), train.early_stop,
                  "epochs without a new best after which training ends; 0: never");
  auto non_finite = static_cast<int64_t>(train.non_finite);
  section.choice("non_finite", {"stop", "skip", "rollback"}, non_finite,
                 "where a loss or gradient is not finite: end, leave the step out, or go back to "
                 "the epoch's start with half the learning rate");
  train.non_finite = static_cast<NonFinite>(non_finite);
  section.finish();
  const bool good = section.diagnostics().count() == mistakes;
  if (good && section.present()) check_together(section, train);
}

}  // namespace retort::host::config
