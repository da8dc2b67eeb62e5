#include "framework/config/resolved.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/component.hpp"
#include "framework/config/node.hpp"
#include "framework/config/parse.hpp"

namespace retort::host {
namespace {

using config::key_text;
using config::quote_text;
using config::real_text;

std::string line(const std::string& key, const std::string& value) {
  return key + " = " + value + "\n";
}

std::string of(bool value) { return value ? "true" : "false"; }

std::string in_brackets(const std::vector<std::string>& texts) {
  const std::string inside = join(texts);  // named: g++ 12 warns of "[" + a temporary
  return "[" + inside + "]";
}

std::string list_of(const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(real_text(value));
  return in_brackets(texts);
}

std::string list_of(const std::vector<std::string>& values) {
  std::vector<std::string> texts;
  for (const std::string& value : values) texts.push_back(quote_text(value));
  return in_brackets(texts);
}

std::string options_of(const ComponentChoice& choice) {
  std::string text;
  for (size_t i = 0; i < choice.options.size(); ++i) {
    const OptionInfo& option = choice.info.options[i];
    text += line(key_text(option.name), config::toml_of(option, choice.options[i]));
  }
  return text;
}

std::string normalize_of(const std::optional<Normalize>& normalize) {
  if (!normalize) return "";
  return line("normalize", "{ mean = " + list_of(normalize->mean) +
                               ", std = " + list_of(normalize->stddev) + " }");
}

template <typename Integer>
std::string list_of_integers(const std::vector<Integer>& values) {
  std::vector<std::string> texts;
  for (const Integer value : values) texts.push_back(std::to_string(value));
  return in_brackets(texts);
}

std::string data_of(const DataConfig& data) {
  std::vector<std::string> steps;
  for (const Augment& step : data.augment) steps.push_back(augment_text(step));
  return "\n[data]\n" + line("dataset", quote_text(data.dataset.info.id)) +
         options_of(data.dataset) + line("batch_size", std::to_string(data.batch_size)) +
         line("train_samples", std::to_string(data.train_samples)) +
         line("validation", real_text(data.validation)) + line("mixup", real_text(data.mixup)) +
         line("cutmix", real_text(data.cutmix)) + line("augment", list_of(steps)) +
         normalize_of(data.normalize);
}

std::string optimizer_of(const OptimizerConfig& optimizer) {
  constexpr std::array kNames = {"sgd", "adam", "adamw"};
  std::string text = "{ name = " + quote_text(kNames[static_cast<size_t>(optimizer.kind)]) +
                     ", lr = " + real_text(optimizer.lr);
  if (optimizer.kind == OptimizerConfig::Kind::Sgd) {
    text +=
        ", momentum = " + real_text(optimizer.momentum) + ", nesterov = " + of(optimizer.nesterov);
  } else {
    text += ", betas = " + list_of({optimizer.beta1, optimizer.beta2}) +
            ", eps = " + real_text(optimizer.eps);
  }
  return text + ", weight_decay = " + real_text(optimizer.weight_decay) + " }";
}

std::string schedule_of(const ScheduleConfig& schedule) {
  using Kind = ScheduleConfig::Kind;
  constexpr std::array kNames = {"constant", "step", "multistep", "cosine"};
  std::string text = "{ name = " + quote_text(kNames[static_cast<size_t>(schedule.kind)]);
  if (schedule.kind == Kind::Step) {
    text += ", step_epochs = " + std::to_string(schedule.step_epochs);
  }
  if (schedule.kind == Kind::Multistep) {
    text += ", milestones = " + list_of_integers(schedule.milestones);
  }
  if (schedule.kind == Kind::Step || schedule.kind == Kind::Multistep) {
    text += ", gamma = " + real_text(schedule.gamma);
  }
  if (schedule.kind == Kind::Cosine) text += ", min_lr = " + real_text(schedule.min_lr);
  return text + ", warmup_epochs = " + real_text(schedule.warmup_epochs) + " }";
}

std::string train_of(const TrainConfig& train) {
  constexpr std::array kNonFinite = {"stop", "skip", "rollback"};
  std::vector<std::string> no_decay;
  if (!train.decay_bias) no_decay.emplace_back("bias");
  if (!train.decay_norm) no_decay.emplace_back("bn");
  return line("epochs", std::to_string(train.epochs)) +
         line("optimizer", optimizer_of(train.optimizer)) +
         line("schedule", schedule_of(train.schedule)) +
         (train.clip_norm ? line("clip_norm", real_text(*train.clip_norm)) : "") +
         line("label_smoothing", real_text(train.label_smoothing)) +
         line("no_decay", list_of(no_decay)) +
         line("eval_batch_size", std::to_string(train.eval_batch_size)) +
         line("accumulate", std::to_string(train.accumulate)) + line("ema", real_text(train.ema)) +
         line("early_stop", std::to_string(train.early_stop)) +
         line("non_finite", quote_text(kNonFinite[static_cast<size_t>(train.non_finite)]));
}

std::string network_of(const std::string& section, const NetworkConfig& network) {
  std::string text = "\n[" + section + "]\n" + line("model", quote_text(network.model.info.id)) +
                     options_of(network.model);
  if (network.weights) text += line("weights", quote_text(network.weights->string()));
  std::vector<std::string> renames;
  for (const auto& [from, to] : network.rename) {
    renames.push_back(key_text(from) + " = " + quote_text(to));
  }
  if (!renames.empty()) text += line("rename", "{ " + join(renames) + " }");
  text += normalize_of(network.normalize);
  const bool trained_its_own_way = section == "teacher" && !network.weights;
  if (trained_its_own_way) text += "\n[" + section + ".train]\n" + train_of(network.train);
  return text;
}

std::string weight_of(const WeightSchedule& weight) {
  const bool constant =
      weight.from == weight.to && weight.begin_epoch == 0 && weight.end_epoch == 0;
  if (constant) return real_text(weight.from);
  return "{ from = " + real_text(weight.from) + ", to = " + real_text(weight.to) +
         ", epochs = " + list_of({weight.begin_epoch, weight.end_epoch}) + " }";
}

std::string transfer_of(const TransferConfig& transfer) {
  std::string text = "\n[[transfer]]\n" + line("strategy", quote_text(transfer.strategy.info.id)) +
                     line("name", quote_text(transfer.name)) +
                     line("weight", weight_of(transfer.weight)) + options_of(transfer.strategy);
  if (transfer.bind_student.empty()) return text;
  return text + line("bind", "{ student = " + list_of(transfer.bind_student) +
                                 ", teacher = " + list_of(transfer.bind_teacher) + " }");
}

std::string run_of(const RunConfig& run) {
  constexpr std::array kDevices = {"auto", "cpu", "cuda"};
  constexpr std::array kPrecisions = {"fp32", "bf16"};
  return "\n[run]\n" + line("device", quote_text(kDevices[static_cast<size_t>(run.device)])) +
         line("precision", quote_text(kPrecisions[static_cast<size_t>(run.precision)])) +
         line("channels_last", of(run.channels_last)) +
         line("threads", std::to_string(run.threads)) + line("out", quote_text(run.out.string())) +
         line("deterministic", of(run.deterministic)) +
         line("checkpoint_steps", std::to_string(run.checkpoint_steps)) +
         line("tensorboard", of(run.tensorboard));
}

std::string sweep_of(const SweepConfig& sweep) {
  constexpr std::array kKinds = {"grid", "list", "random"};
  const bool random = sweep.kind == SweepConfig::Kind::Random;
  std::string text =
      "\n[sweep]\n" + line("kind", quote_text(kKinds[static_cast<size_t>(sweep.kind)])) +
      (random ? line("trials", std::to_string(sweep.trials)) : "") + "\n[sweep.keys]\n";
  for (const SweepKey& key : sweep.keys) {
    const bool range = key.min && key.max;
    text += line(key_text(key.key),
                 range ? "{ min = " + real_text(*key.min) + ", max = " + real_text(*key.max) +
                             ", log = " + of(key.log) + ", integer = " + of(key.integer) + " }"
                       : in_brackets(key.values));
  }
  return text;
}

/// What may stand there and what it does: "integer >= 8 (layers); the number of layers".
std::string comment_of(const OptionInfo& option) {
  std::string text;
  const std::string range = describe(config::range_of(option));
  if (option.type == RETORT_OPTION_CHOICE) {
    text = "one of " + join(option.choices);
  } else if (option.type == RETORT_OPTION_INT) {
    text = "integer";
  }
  if (!range.empty()) text += (text.empty() ? "" : " ") + range;
  if (!option.unit.empty()) text += (text.empty() ? "" : ", ") + ("in " + option.unit);
  if (!option.help.empty()) text += (text.empty() ? "" : "; ") + option.help;
  return text;
}

/// key = value lines with their comments in one column.
std::string commented(const std::vector<std::pair<std::string, std::string>>& rows) {
  size_t width = 0;
  for (const auto& [code, comment] : rows) width = std::max(width, code.size());
  std::string text;
  for (const auto& [code, comment] : rows) {
    text += code;
    if (!comment.empty()) text += std::string(width - code.size() + 2, ' ') + "# " + comment;
    text += "\n";
  }
  return text;
}

}  // namespace

std::string augment_text(const Augment& step) {
  switch (step.kind) {
    case Augment::Kind::Crop:
      return "crop(" + std::to_string(step.padding) + ")";
    case Augment::Kind::Flip:
      return "flip";
    case Augment::Kind::RandAugment:
      return "randaugment(" + std::to_string(step.operations) + ", " +
             std::to_string(step.magnitude) + ")";
    case Augment::Kind::Erase:
      return "erase(" + real_text(step.probability) + ")";
  }
  return "";
}

std::string to_toml(const Experiment& experiment) {
  std::string text =
      line("name", quote_text(experiment.name)) +
      (experiment.seeds.empty() ? line("seed", std::to_string(experiment.seed))
                                : line("seeds", list_of_integers(experiment.seeds))) +
      data_of(experiment.data);
  if (experiment.teacher) text += network_of("teacher", *experiment.teacher);
  text += network_of("student", experiment.student);
  text += "\n[task]\n" + line("loss", quote_text("cross_entropy")) +
          line("weight", real_text(experiment.task.weight));
  for (const TransferConfig& transfer : experiment.transfers) text += transfer_of(transfer);
  text += "\n[train]\n" + train_of(experiment.train) + run_of(experiment.run);
  text += "\n[baseline]\n" + line("student_alone", of(experiment.student_alone));
  return text + (experiment.sweep ? sweep_of(*experiment.sweep) : "");
}

std::string option_block(const ComponentInfo& info) {
  std::string header = "[student]\nmodel";
  if (info.kind == RETORT_KIND_DATASET) header = "[data]\ndataset";
  if (info.kind == RETORT_KIND_STRATEGY) header = "[[transfer]]\nstrategy";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const OptionInfo& option : info.options) {
    const std::string key = key_text(option.name);
    const std::string comment = comment_of(option);
    if ((option.flags & RETORT_OPTION_REQUIRED) != 0) {
      rows.emplace_back("# " + key + " =", "required" + (comment.empty() ? "" : ": " + comment));
    } else {
      rows.emplace_back(key + " = " + config::toml_of(option, config::default_of(option)), comment);
    }
  }
  if (info.kind == RETORT_KIND_STRATEGY) {
    rows.insert(rows.begin(), {"weight = 1", "or { from = 1, to = 0, epochs = [1, 2] }"});
    if (!info.bind_student.empty()) {
      const bool same = info.bind_teacher.empty() || info.bind_teacher == info.bind_student;
      rows.emplace_back("bind = " + (same ? list_of(info.bind_student)
                                          : "{ student = " + list_of(info.bind_student) +
                                                ", teacher = " + list_of(info.bind_teacher) + " }"),
                        "the taps that are compared");
    }
  }
  return header + " = " + quote_text(info.id) + "\n" + commented(rows);
}

std::string experiment_block() {
  std::string text;
  std::string section;
  std::vector<std::pair<std::string, std::string>> rows;
  for (const config::KeyInfo& key : experiment_keys()) {
    const size_t dot = key.path.find('.');
    const bool root = dot == std::string::npos;
    std::string header = root ? "" : "\n[" + key.path.substr(0, dot) + "]\n";
    if (header == "\n[transfer[0]]\n") header = "\n[[transfer]]\n";
    if (header != section) {
      text += section + commented(rows);
      section = header;
      rows.clear();
    }
    const bool active = key.applies && !key.default_value.empty();
    rows.emplace_back(
        (active ? "" : "# ") + key.path.substr(root ? 0 : dot + 1) + " = " + key.default_value,
        key.type + (key.accepted.empty() ? "" : " " + key.accepted) + "; " + key.text);
  }
  return text + section + commented(rows);
}

}  // namespace retort::host
