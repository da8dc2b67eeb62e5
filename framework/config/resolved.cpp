#include "framework/config/resolved.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/component.hpp"
#include "framework/config/node.hpp"
#include "framework/config/parse.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host {
namespace {

using config::key_text;
using config::quote_text;
using config::real_text;
using config::write_brackets;
using config::write_line;
using config::write_list;
using config::write_options;
using config::write_value;

std::string normalize_of(const std::optional<Normalize>& normalize) {
  if (!normalize) return "";
  return write_line("normalize", "{ mean = " + write_list(normalize->mean) +
                                     ", std = " + write_list(normalize->stddev) + " }");
}

std::string write_seed_list(const std::vector<uint64_t>& seeds) {
  std::vector<std::string> texts;
  for (const uint64_t seed : seeds) texts.push_back(std::to_string(seed));
  return write_brackets(texts);
}

std::string data_of(const DataConfig& data) {
  std::vector<std::string> steps;
  for (const Augment& step : data.augment) steps.push_back(augment_text(step));
  return "\n[data]\n" + write_line("dataset", quote_text(data.dataset.info.id)) +
         write_options(data.dataset) + write_line("batch_size", std::to_string(data.batch_size)) +
         write_line("train_samples", std::to_string(data.train_samples)) +
         write_line("validation", real_text(data.validation)) +
         write_line("mixup", real_text(data.mixup)) + write_line("cutmix", real_text(data.cutmix)) +
         write_line("augment", write_list(steps)) + normalize_of(data.normalize);
}

std::string optimizer_of(const OptimizerConfig& optimizer) {
  constexpr std::array kNames = {"sgd", "adam", "adamw"};
  std::string text = "{ name = " + quote_text(kNames[static_cast<size_t>(optimizer.kind)]) +
                     ", lr = " + real_text(optimizer.lr);
  if (optimizer.kind == OptimizerConfig::Kind::Sgd) {
    text += ", momentum = " + real_text(optimizer.momentum) +
            ", nesterov = " + write_value(optimizer.nesterov);
  } else {
    text += ", betas = " + write_list(std::vector<double>{optimizer.beta1, optimizer.beta2}) +
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
    text += ", milestones = " + write_list(schedule.milestones);
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
  return write_line("epochs", std::to_string(train.epochs)) +
         write_line("optimizer", optimizer_of(train.optimizer)) +
         write_line("schedule", schedule_of(train.schedule)) +
         (train.clip_norm ? write_line("clip_norm", real_text(*train.clip_norm)) : "") +
         write_line("label_smoothing", real_text(train.label_smoothing)) +
         write_line("no_decay", write_list(no_decay)) +
         write_line("eval_batch_size", std::to_string(train.eval_batch_size)) +
         write_line("accumulate", std::to_string(train.accumulate)) +
         write_line("ema", real_text(train.ema)) +
         write_line("early_stop", std::to_string(train.early_stop)) +
         write_line("non_finite", quote_text(kNonFinite[static_cast<size_t>(train.non_finite)]));
}

std::string network_of(const std::string& section, const NetworkConfig& network) {
  std::string text = "\n[" + section + "]\n" +
                     write_line("model", quote_text(network.model.info.id)) +
                     write_options(network.model);
  if (network.weights) text += write_line("weights", quote_text(network.weights->string()));
  std::vector<std::string> renames;
  for (const auto& [from, to] : network.rename) {
    renames.push_back(key_text(from) + " = " + quote_text(to));
  }
  if (!renames.empty()) text += write_line("rename", "{ " + join(renames) + " }");
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
         ", epochs = " + write_list(std::vector<double>{weight.begin_epoch, weight.end_epoch}) +
         " }";
}

std::string transfer_of(const TransferConfig& transfer) {
  std::string text =
      "\n[[transfer]]\n" + write_line("strategy", quote_text(transfer.strategy.info.id)) +
      write_line("name", quote_text(transfer.name)) +
      write_line("weight", weight_of(transfer.weight)) + write_options(transfer.strategy);
  if (transfer.bind_student.empty()) return text;
  return text + write_line("bind", "{ student = " + write_list(transfer.bind_student) +
                                       ", teacher = " + write_list(transfer.bind_teacher) + " }");
}

std::string run_of(const RunConfig& run) {
  constexpr std::array kDevices = {"auto", "cpu", "cuda"};
  constexpr std::array kPrecisions = {"fp32", "bf16"};
  return "\n[run]\n" + write_line("device", quote_text(kDevices[static_cast<size_t>(run.device)])) +
         write_line("precision", quote_text(kPrecisions[static_cast<size_t>(run.precision)])) +
         write_line("channels_last", write_value(run.channels_last)) +
         write_line("threads", std::to_string(run.threads)) +
         write_line("out", quote_text(run.out.string())) +
         write_line("deterministic", write_value(run.deterministic)) +
         write_line("checkpoint_steps", std::to_string(run.checkpoint_steps)) +
         write_line("tensorboard", write_value(run.tensorboard));
}

std::string sweep_of(const SweepConfig& sweep) {
  constexpr std::array kKinds = {"grid", "list", "random"};
  const bool random = sweep.kind == SweepConfig::Kind::Random;
  std::string text =
      "\n[sweep]\n" + write_line("kind", quote_text(kKinds[static_cast<size_t>(sweep.kind)])) +
      (random ? write_line("trials", std::to_string(sweep.trials)) : "") + "\n[sweep.keys]\n";
  for (const SweepKey& key : sweep.keys) {
    const bool range = key.min && key.max;
    text += write_line(key_text(key.key),
                       range ? "{ min = " + real_text(*key.min) + ", max = " + real_text(*key.max) +
                                   ", log = " + write_value(key.log) +
                                   ", integer = " + write_value(key.integer) + " }"
                             : write_brackets(key.values));
  }
  return text;
}

/// What may stand there and what it does: "integer >= 8 (layers); the number of layers".
std::string comment_of(const OptionInfo& option) {
  std::string text;
  const std::string range = describe(config::make_range(option));
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
      write_line("name", quote_text(experiment.name)) +
      (experiment.seeds.empty() ? write_line("seed", std::to_string(experiment.seed))
                                : write_line("seeds", write_seed_list(experiment.seeds))) +
      data_of(experiment.data);
  if (experiment.teacher) text += network_of("teacher", *experiment.teacher);
  text += network_of("student", experiment.student);
  text += "\n[task]\n" + write_line("loss", quote_text("cross_entropy")) +
          write_line("weight", real_text(experiment.task.weight));
  for (const TransferConfig& transfer : experiment.transfers) text += transfer_of(transfer);
  text += "\n[train]\n" + train_of(experiment.train) + run_of(experiment.run);
  text += "\n[baseline]\n" + write_line("student_alone", write_value(experiment.student_alone));
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
      rows.emplace_back(key + " = " + config::write_option(option, config::make_default(option)),
                        comment);
    }
  }
  if (info.kind == RETORT_KIND_STRATEGY) {
    rows.insert(rows.begin(), {"weight = 1", "or { from = 1, to = 0, epochs = [1, 2] }"});
    if (!info.bind_student.empty()) {
      const bool same = info.bind_teacher.empty() || info.bind_teacher == info.bind_student;
      rows.emplace_back(
          "bind = " + (same ? write_list(info.bind_student)
                            : "{ student = " + write_list(info.bind_student) +
                                  ", teacher = " + write_list(info.bind_teacher) + " }"),
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
