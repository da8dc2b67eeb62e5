#include "framework/run/probe.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"

namespace retort::host {
namespace {

OutputShapes shapes_of(const Outputs& outputs) {
  OutputShapes shapes;
  if (outputs.logits.defined()) shapes.logits = outputs.logits.sizes().vec();
  for (const at::Tensor& feature : outputs.features)
    shapes.features.push_back(feature.sizes().vec());
  return shapes;
}

TransferConfig config_of(const ComponentChoice& strategy, const ProbeInputs& inputs) {
  TransferConfig config;
  config.name = strategy.info.id;
  config.strategy = strategy;
  for (size_t i = 0; i < inputs.student.features.size(); ++i)
    config.bind_student.push_back("student.features." + std::to_string(i));
  for (size_t i = 0; i < inputs.teacher.features.size(); ++i)
    config.bind_teacher.push_back("teacher.features." + std::to_string(i));
  return config;
}

/// The samples of the training set: as given, and no fewer than the inputs name.
int64_t train_count_of(const ProbeInputs& inputs, const ProbeSettings& settings) {
  const int64_t named = std::max(inputs.batch_size, inputs.indices.max().item<int64_t>() + 1);
  const int64_t labelled = inputs.train_labels.defined() ? inputs.train_labels.size(0) : 0;
  const int64_t given = settings.train_count != 0 ? settings.train_count : labelled;
  if (settings.train_count != 0 && labelled != 0 && labelled != given) {
    throw ConfigError("train_count = " + std::to_string(given) + ", but train_labels has " +
                      std::to_string(labelled) + " entries; leave train_count out");
  }
  if (given == 0) return named;
  if (given < named) {
    throw ConfigError((settings.train_count != 0
                           ? "train_count = " + std::to_string(given)
                           : "train_labels has " + std::to_string(given) + " entries") +
                      ", but the inputs name " + std::to_string(named) +
                      " samples: the batch, and the largest of indices + 1");
  }
  return given;
}

/// The class of each sample of the training set, as far as the inputs tell: a step's labels at its
/// indices. The classes in turn elsewhere, since a strategy may count on classes there.
std::vector<int64_t> train_labels_of(const ProbeInputs& inputs, int64_t train_count,
                                     const std::string& strategy) {
  const auto* labels = inputs.labels.const_data_ptr<int64_t>();
  const auto* indices = inputs.indices.const_data_ptr<int64_t>();
  if (inputs.train_labels.defined()) {
    const auto* all = inputs.train_labels.const_data_ptr<int64_t>();
    return {all, all + train_count};
  }
  std::vector<int64_t> all(static_cast<size_t>(train_count));
  for (int64_t i = 0; i < train_count; ++i)
    all[static_cast<size_t>(i)] = i % std::max<int64_t>(inputs.class_count, 1);
  std::vector<bool> known(all.size());
  for (int64_t n = 0; n < inputs.batch_size; ++n) {
    const auto at = static_cast<size_t>(indices[n]);
    all[at] = labels[n];
    known[at] = true;
  }
  const int64_t unknown = std::count(known.begin(), known.end(), false);
  if (unknown > 0) {
    spdlog::warn(
        "{}: the labels of {} of {} training samples are not in the inputs; setup.labels holds the "
        "classes 0 to {} in turn there. Give them all as train_labels [{}] int64",
        strategy, grouped(unknown), grouped(train_count), inputs.class_count - 1, train_count);
  }
  return all;
}

RunShape run_of(const ProbeInputs& inputs, const ProbePlace& place) {
  RunShape run;
  run.class_count = inputs.class_count;
  run.batch_size = inputs.batch_size;
  run.train_count = place.train_count;
  run.epoch_count = place.epoch_count;
  run.step_count = place.step_count;
  return run;
}

/// The student's tensors as leaves that take a gradient.
Outputs with_gradient(const Outputs& outputs) {
  Outputs leaves = outputs;
  if (leaves.logits.defined()) leaves.logits.set_requires_grad(true);
  for (at::Tensor& feature : leaves.features) feature.set_requires_grad(true);
  return leaves;
}

StepView step_of(const ProbeInputs& inputs, const ProbePlace& place) {
  StepView step;
  step.put_outputs(kStudentName) = with_gradient(inputs.student);
  step.put_outputs(kTeacherName) = inputs.teacher;
  if (inputs.labels.defined()) step.batch.put(kLabelField, inputs.labels);
  if (inputs.indices.defined()) step.batch.put(kIndexField, inputs.indices);
  step.progress = at::full({}, place.progress, at::TensorOptions().dtype(inputs.type));
  step.epoch = place.epoch;
  step.step = place.step;
  return step;
}

void set_modules(ParameterSet& own, const std::filesystem::path& file) {
  const c10::NoGradGuard without_gradients;
  std::vector<std::string> missing;
  std::map<std::string, at::Tensor> given;
  for (auto& [name, tensor] : load_tensors(file)) given.emplace(name, tensor);
  for (const Parameter& parameter : own.all()) {
    const auto found = given.find(parameter.name);
    if (found == given.end()) {
      missing.push_back(parameter.name);
      continue;
    }
    if (found->second.sizes() != parameter.master.sizes()) {
      throw DataError(file.string() + ": " + parameter.name + " is " +
                      shape_text(found->second.sizes()) + "; " + own.owner() + " wants " +
                      shape_text(parameter.master.sizes()));
    }
    parameter.master.copy_(found->second);
    given.erase(found);
  }
  if (!given.empty()) {
    std::vector<std::string> known;
    for (const Parameter& parameter : own.all()) known.push_back(parameter.name);
    throw DataError(file.string() + ": " + given.begin()->first + " is no module of " +
                    own.owner() + "; it has: " + (known.empty() ? "none" : join(known)));
  }
  if (!missing.empty()) spdlog::warn("{} keep their start values: {}", own.owner(), join(missing));
}

void check_draws(const Draws& draws, const std::string& strategy) {
  for (const auto& [name, tensor] : draws.given) {
    if (draws.seen.count(name) != 0) continue;
    std::vector<std::string> known;
    for (const auto& [drawn, ignored] : draws.seen) known.push_back(drawn);
    throw DataError("the tensor \"" + name + "\" is no input of " + strategy +
                    ", and no draw of it; draws: " + (known.empty() ? "none" : join(known)));
  }
}

at::Tensor gradient_of(const at::Tensor& leaf) {
  return leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf);
}

std::vector<NamedTensor> copies_of_buffers(const ParameterSet& own, const std::string& suffix) {
  std::vector<NamedTensor> copies;
  for (const Parameter& parameter : own.all()) {
    if (parameter.trained) continue;
    copies.emplace_back(parameter.name + suffix, parameter.master.detach().clone());
  }
  return copies;
}

std::vector<NamedTensor> results_of(const at::Tensor& loss, const Outputs& student,
                                    const ParameterSet& own) {
  std::vector<NamedTensor> results = {{"loss", loss.detach()}};
  if (student.logits.defined()) {
    results.emplace_back("student.logits.grad", gradient_of(student.logits));
  }
  for (size_t i = 0; i < student.features.size(); ++i) {
    results.emplace_back("student.features." + std::to_string(i) + ".grad",
                         gradient_of(student.features[i]));
  }
  for (const Parameter& parameter : own.all()) {
    if (parameter.trained)
      results.emplace_back(parameter.name + ".grad", gradient_of(parameter.master));
  }
  return results;
}

}  // namespace

ProbePlace make_place(const ProbeSettings& settings, int64_t train_count, int64_t batch_size) {
  constexpr double kRounding = 1e-9;  // 0.3 * 10 steps is step 3
  ProbePlace place;
  place.train_count = train_count;
  const int64_t steps_per_epoch = std::max<int64_t>(train_count / batch_size, 1);
  const int64_t epoch = settings.epoch.value_or(0);
  place.epoch_count = settings.epochs != 0 ? settings.epochs : epoch + 1;
  if (epoch >= place.epoch_count) {
    throw ConfigError("epoch = " + std::to_string(epoch) + " and epochs = " +
                      std::to_string(settings.epochs) + ": epochs count from 0, so the last is " +
                      std::to_string(settings.epochs - 1) + "; raise epochs, or lower epoch");
  }
  place.step_count = place.epoch_count * steps_per_epoch;
  place.step = epoch * steps_per_epoch;
  place.progress = settings.progress.value_or(static_cast<double>(place.step) /
                                              static_cast<double>(place.step_count));
  if (settings.progress) {
    const double position = *settings.progress * static_cast<double>(place.step_count) + kRounding;
    place.step = std::min(static_cast<int64_t>(position), place.step_count - 1);
  }
  place.epoch = place.step / steps_per_epoch;
  if (settings.epoch && place.epoch != epoch) {
    throw ConfigError(
        fmt::format("progress = {:g} of {} epochs is in epoch {} (counted from 0), not in epoch = "
                    "{}; leave one "
                    "of them out, or set epochs",
                    *settings.progress, place.epoch_count, place.epoch, epoch));
  }
  return place;
}

ProbeResult probe(const ComponentChoice& strategy, const ProbeInputs& inputs,
                  const std::optional<std::filesystem::path>& modules,
                  const ProbeSettings& settings) {
  Draws draws;
  draws.given = inputs.draws;
  ProbeResult result;
  result.place = make_place(settings, train_count_of(inputs, settings), inputs.batch_size);
  RunShape run = run_of(inputs, result.place);
  std::vector<int64_t> train_labels;  // lives as long as the strategy
  if (reads(strategy.info, RETORT_NEED_LABELS)) {
    train_labels = train_labels_of(inputs, run.train_count, strategy.info.id);
    run.labels = train_labels.data();
  }
  Transfer transfer(config_of(strategy, inputs), at::kCPU, static_cast<uint64_t>(settings.seed),
                    inputs.type);
  transfer.set_draws(&draws);
  transfer.setup(run, shapes_of(inputs.student), shapes_of(inputs.teacher));
  ParameterSet& own = *transfer.parameters();
  if (modules) set_modules(own, *modules);
  result.buffers = copies_of_buffers(own, "");

  const StepView step = step_of(inputs, result.place);
  const at::Tensor loss = transfer.loss(step);
  if (loss.requires_grad()) loss.backward();
  result.loss = loss.item<double>();
  result.tensors = results_of(loss, step.of(kStudentName), own);
  {
    const c10::NoGradGuard without_gradients;
    transfer.after_backward(step);
  }
  check_draws(draws, strategy.info.id);
  for (NamedTensor& buffer : copies_of_buffers(own, ".after"))
    result.buffers.push_back(std::move(buffer));
  result.draws = draws.seen;
  result.modules = own.all();
  return result;
}

}  // namespace retort::host
