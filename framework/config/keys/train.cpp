#include "framework/config/keys/train.hpp"

#include <string>
#include <vector>

#include "framework/config/enum_names.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

constexpr EnumNames<NonFinite, 3> kNonFiniteNames = {{"stop", "skip", "rollback"}};

/// What no_decay may list, each with the flag that it clears.
struct Undecayed {
  const char* name;
  bool TrainConfig::*decays;
};
constexpr std::array<Undecayed, 2> kUndecayed = {
    {{"bias", &TrainConfig::decay_bias}, {"bn", &TrainConfig::decay_norm}}};

void read_no_decay(Section& section, TrainConfig& train) {
  std::vector<std::string> names, known;
  const Node* node = section.texts("no_decay", names, "what has no weight decay: \"bias\", \"bn\"");
  if (node == nullptr) return;
  for (const Undecayed& each : kUndecayed) {
    known.emplace_back(each.name);
    train.*each.decays = true;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    int64_t position = 0;
    const std::string path = entry_path(section.key_path("no_decay"), i);
    if (!read_choice(node->items[i], path, known, position, "", section.diagnostics())) continue;
    train.*kUndecayed[static_cast<size_t>(position)].decays = false;
  }
}

void read_clip_norm(Section& section, TrainConfig& train) {
  double clip_norm = 0;
  const Node* node = section.take("clip_norm", "number", "> 0", "",
                                  "longest gradient, of all parameters together; absent: any");
  if (node != nullptr && read_real(*node, section.key_path("clip_norm"), Range::above(0), clip_norm,
                                   "; leave it out to clip nothing", section.diagnostics())) {
    train.clip_norm = clip_norm;
  }
}

/// Adds a mistake about a key of the schedule, placed there where the file has it.
void add_schedule_mistake(Section& section, const std::string& key, double value,
                          const std::string& what) {
  const Node* node = section.present() ? section.node()->find_path("schedule." + key) : nullptr;
  section.diagnostics().add(node != nullptr ? node->place : section.place(),
                            section.key_path("schedule") + "." + key + " = " + real_text(value),
                            what);
}

/// What fits no single key: the warm-up and the epochs, the last rate and the first.
void check_schedule(Section& section, const TrainConfig& train) {
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

}  // namespace

void read_train(Section section, TrainConfig& train) {
  const size_t mistakes = section.diagnostics().count();
  section.integer("epochs", Range::between(1, 1000000), train.epochs,
                  "passes over the training split");
  read_optimizer(section.section("optimizer"), train.optimizer);
  read_schedule(section.section("schedule"), train.schedule);
  read_clip_norm(section, train);
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
  kNonFiniteNames.read(section, "non_finite", train.non_finite,
                       "where a loss or gradient is not finite: end, leave the step out, or go "
                       "back to the epoch's start with half the learning rate");
  section.finish();
  const bool good = section.diagnostics().count() == mistakes;
  if (good && section.present()) check_schedule(section, train);
}

std::string write_train(const TrainConfig& train) {
  std::vector<std::string> no_decay;
  for (const Undecayed& each : kUndecayed) {
    if (!(train.*each.decays)) no_decay.emplace_back(each.name);
  }
  return write_line("epochs", write_value(train.epochs)) +
         write_line("optimizer", write_optimizer(train.optimizer)) +
         write_line("schedule", write_schedule(train.schedule)) +
         (train.clip_norm ? write_line("clip_norm", write_value(*train.clip_norm)) : "") +
         write_line("label_smoothing", write_value(train.label_smoothing)) +
         write_line("no_decay", write_list(no_decay)) +
         write_line("eval_batch_size", write_value(train.eval_batch_size)) +
         write_line("accumulate", write_value(train.accumulate)) +
         write_line("ema", write_value(train.ema)) +
         write_line("early_stop", write_value(train.early_stop)) +
         write_line("non_finite", write_value(kNonFiniteNames[train.non_finite]));
}

}  // namespace retort::host::config
