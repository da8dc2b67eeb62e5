#include "framework/run/trial_loss.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/full_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

// A gradient below it moves no float32 weight.
constexpr double kNoGradient = 1e-12;
// A loss that changes by less than this part of itself, where the student's outputs change by their
// own size, is flat: what is left is rounding (1e-5 for feature.nst on maps of one pixel).
constexpr double kFlat = 1e-4;

/// Larger by up to twice the mean size, each element by another amount; drawn from nothing, so that
/// no generator moves.
at::Tensor changed(const at::Tensor& tensor) {
  const at::Tensor before = tensor.detach();
  const at::Tensor wave =
      at::arange(before.numel(), before.options()).mul(12.9898).sin().add(1).reshape_as(before);
  return before.add(wave.mul(before.abs().mean().add(0.1)));
}

Outputs changed(const Outputs& outputs) {
  const auto change = [](const at::Tensor& tensor) {
    return tensor.is_floating_point() ? changed(tensor).set_requires_grad(tensor.requires_grad())
                                      : tensor;
  };
  Outputs all;
  all.logits = change(outputs.logits);
  for (const at::Tensor& feature : outputs.features) all.features.push_back(change(feature));
  return all;
}

void change_trained(const ParameterSet& own) {
  const c10::NoGradGuard without_gradients;
  for (const Parameter& parameter : own.all()) {
    if (parameter.trained) at::Tensor(parameter.master).copy_(changed(parameter.master));
  }
}

}  // namespace

void Gradients::take(const at::Tensor& tensor) {
  const at::Tensor gradient = tensor.grad();
  const double size = gradient.abs().max().item().toDouble();
  if (std::isnan(size) || size > largest) largest = size;
  pull += gradient.mul(tensor.detach()).abs().sum().item().toDouble();
  at::Tensor(tensor).mutable_grad().reset();
}

// What is not a number teaches something, or is told of elsewhere.
bool TrialLoss::teaches_student() const {
  return reaches_student && !(student.largest <= kNoGradient) &&
         !(student.pull <= kFlat * std::abs(value));
}

bool TrialLoss::teaches_itself() const { return !(own.largest <= kNoGradient); }

Outputs make_leaves(const Outputs& outputs) {
  const auto leaf = [](const at::Tensor& tensor) {
    return tensor.detach().set_requires_grad(tensor.requires_grad());
  };
  Outputs leaves;
  leaves.logits = leaf(outputs.logits);
  for (const at::Tensor& feature : outputs.features) leaves.features.push_back(leaf(feature));
  return leaves;
}

std::vector<at::Tensor> list_tensors(const Outputs& outputs) {
  std::vector<at::Tensor> tensors = outputs.features;
  tensors.push_back(outputs.logits);
  return tensors;
}

TrialLoss try_loss(Transfer& transfer, const StepView& step) {
  TrialLoss trial;
  transfer.parameters()->begin_pass(false);
  const at::Tensor loss = transfer.loss(step);
  trial.value = loss.item().toDouble();
  if (loss.requires_grad()) loss.backward();
  for (const at::Tensor& tensor : list_tensors(step.of(kStudentName))) {
    if (!tensor.grad().defined()) continue;
    trial.reaches_student = true;
    trial.student.take(tensor);
  }
  for (const Parameter& parameter : transfer.parameters()->all()) {
    if (!parameter.trained || !parameter.master.requires_grad()) continue;
    const bool reached = parameter.master.grad().defined();
    (reached ? trial.reached : trial.unreached).push_back(parameter.name);
    if (reached) trial.own.take(parameter.master);
  }
  return trial;
}

TrialLoss try_later(Transfer& transfer, const StepView& first, const TrialLoss& before,
                    const Phase& phase) {
  const int64_t steps_per_epoch = make_sampler(phase).batches_per_epoch();
  StepView last = first;
  last.epoch = phase.train.epochs - 1;
  last.step = std::max<int64_t>(phase.train.epochs * steps_per_epoch - 1, 0);
  last.progress = at::full_like(
      first.progress, static_cast<double>(last.step) / static_cast<double>(last.step + 1));
  last.put_outputs(kStudentName) = changed(first.of(kStudentName));
  try {
    {
      const c10::NoGradGuard without_gradients;
      transfer.after_backward(first);
    }
    change_trained(*transfer.parameters());
    const TrialLoss later = try_loss(transfer, last);
    const bool tells_more =
        later.teaches_student() || (!before.reaches_student && later.has_path());
    return tells_more ? later : before;
  } catch (const Error&) {  // of outputs that no network gave; training tells of its own
    return before;
  }
}

}  // namespace retort::host
