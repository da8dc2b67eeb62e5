#include "framework/run/probe.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "framework/config/suggest.hpp"
#include "framework/error.hpp"
#include "framework/text.hpp"

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

RunShape run_of(const ProbeInputs& inputs, const ProbeSettings& settings) {
  RunShape run;
  run.class_count = inputs.class_count;
  run.batch_size = inputs.batch_size;
  run.train_count = std::max(inputs.batch_size, inputs.indices.max().item<int64_t>() + 1);
  run.epoch_count = std::max(settings.epochs, settings.epoch + 1);
  run.step_count = run.epoch_count;
  // The labels of the whole training set are known where the batch is all of it.
  if (run.train_count == inputs.batch_size) run.labels = inputs.labels.const_data_ptr<int64_t>();
  return run;
}

/// The student's tensors as leaves that take a gradient.
Outputs with_gradient(const Outputs& outputs) {
  Outputs leaves = outputs;
  if (leaves.logits.defined()) leaves.logits.set_requires_grad(true);
  for (at::Tensor& feature : leaves.features) feature.set_requires_grad(true);
  return leaves;
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

ProbeResult probe(const ComponentChoice& strategy, const ProbeInputs& inputs,
                  const std::optional<std::filesystem::path>& modules,
                  const ProbeSettings& settings) {
  Draws draws;
  draws.given = inputs.draws;
  Transfer transfer(config_of(strategy, inputs), at::kCPU, static_cast<uint64_t>(settings.seed),
                    inputs.type);
  transfer.set_draws(&draws);
  transfer.setup(run_of(inputs, settings), shapes_of(inputs.student), shapes_of(inputs.teacher));
  if (modules) set_modules(transfer.parameters(), *modules);

  StepInputs step;
  step.student = with_gradient(inputs.student);
  step.teacher = inputs.teacher;
  step.labels = inputs.labels;
  step.indices = inputs.indices;
  step.progress = at::full({}, settings.progress, at::TensorOptions().dtype(inputs.type));
  step.epoch = settings.epoch;
  const at::Tensor loss = transfer.loss(step);
  check_draws(draws, strategy.info.id);
  if (loss.requires_grad()) loss.backward();

  ProbeResult result;
  result.loss = loss.item<double>();
  result.tensors = results_of(loss, step.student, transfer.parameters());
  result.draws = draws.seen;
  result.modules = transfer.parameters().all();
  return result;
}

}  // namespace retort::host
