#include "framework/train/optimizer.hpp"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

namespace retort::host {

/// The tensors of one fused call: the parameters that have a gradient in this step, and their
/// state.
struct Optimizer::Lists {
  std::vector<at::Tensor> parameters, grads, first, second, steps;
};

Optimizer::Optimizer(const TrainConfig& train, const std::vector<ParameterSet*>& owners)
    : config_(train.optimizer) {
  for (ParameterSet* owner : owners) {
    for (const Parameter& parameter : owner->all()) {
      if (parameter.trained && parameter.master.requires_grad())
        add(parameter, owner->owner(), train);
    }
  }
}

void Optimizer::add(const Parameter& parameter, const std::string& owner,
                    const TrainConfig& train) {
  const bool decays = (train.decay_bias || parameter.role != RETORT_ROLE_BIAS) &&
                      (train.decay_norm || parameter.role != RETORT_ROLE_NORM);
  const double decay = decays ? config_.weight_decay : 0;
  auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& candidate) {
    return candidate.weight_decay == decay && candidate.lr_scale == parameter.lr_scale;
  });
  if (group == groups_.end())
    group = groups_.insert(groups_.end(), {decay, parameter.lr_scale, {}});
  Slot slot;
  slot.name = owner + "/" + parameter.name;
  slot.parameter = parameter.master;
  group->slots.push_back(slot);
  all_.push_back(parameter.master);
}

void Optimizer::step(double lr) {
  for (Group& group : groups_) {
    Lists lists;
    for (Slot& slot : group.slots) {
      if (!slot.parameter.grad().defined()) continue;
      lists.parameters.push_back(slot.parameter.detach());
      lists.grads.push_back(slot.parameter.grad());
      if (config_.kind == OptimizerConfig::Kind::Sgd && config_.momentum == 0) continue;
      if (!slot.first.defined()) slot.first = at::zeros_like(lists.parameters.back());
      lists.first.push_back(slot.first);
      if (config_.kind == OptimizerConfig::Kind::Sgd) continue;
      if (!slot.second.defined()) {
        slot.second = at::zeros_like(slot.first);
        slot.steps = at::zeros({}, slot.first.options());
      }
      slot.steps.add_(1);
      lists.second.push_back(slot.second);
      lists.steps.push_back(slot.steps);
    }
    if (lists.parameters.empty()) continue;
    const double rate = lr * group.lr_scale;
    if (config_.kind == OptimizerConfig::Kind::Sgd) {
      step_sgd(group, lists, rate);
    } else {
      step_adam(group, lists, rate);
    }
  }
}

void Optimizer::step_sgd(Group& group, Lists& lists, double lr) {
  // The buffers start at zero, where the first step of plain momentum gives the gradient itself:
  // the same numbers as PyTorch's special first step, also for a parameter whose first gradient
  // comes late.
  at::_fused_sgd_(lists.parameters, lists.grads, lists.first, group.weight_decay, config_.momentum,
                  lr,
                  /*dampening=*/0, config_.nesterov, /*maximize=*/false, /*is_first_step=*/false);
}

void Optimizer::step_adam(const Group& group, Lists& lists, double lr) {
  const auto update =
      config_.kind == OptimizerConfig::Kind::Adam
          ? static_cast<void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                                 at::TensorList, at::TensorList, double, double, double, double,
                                 double, bool, bool, const std::optional<at::Tensor>&,
                                 const std::optional<at::Tensor>&)>(&at::_fused_adam_)
          : static_cast<void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                                 at::TensorList, at::TensorList, double, double, double, double,
                                 double, bool, bool, const std::optional<at::Tensor>&,
                                 const std::optional<at::Tensor>&)>(&at::_fused_adamw_);
  update(lists.parameters, lists.grads, lists.first, lists.second, {}, lists.steps, lr,
         config_.beta1, config_.beta2, group.weight_decay, config_.eps, /*amsgrad=*/false,
         /*maximize=*/false, {}, {});
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> grads;
  for (const at::Tensor& parameter : all_) {
    if (parameter.grad().defined()) grads.push_back(parameter.grad());
  }
  return grads;
}

at::Tensor Optimizer::gradient_norm() const {
  const std::vector<at::Tensor> grads = gradients();
  if (grads.empty()) {  // a learner that no term of this step reaches
    const at::Device device = all_.empty() ? at::Device(at::kCPU) : all_.front().device();
    return at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(device));
  }
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(grads)));
}

void Optimizer::clip(double max_norm, const at::Tensor& norm) {
  const std::vector<at::Tensor> grads = gradients();
  if (grads.empty()) return;
  at::_foreach_mul_(grads, norm.add(1e-6).reciprocal().mul(max_norm).clamp_max(1));
}

std::string Optimizer::first_bad_gradient() const {
  for (const at::Tensor& parameter : all_) {
    if (!parameter.grad().defined()) continue;
    if (std::isfinite(at::linalg_vector_norm(parameter.grad()).item().toDouble())) continue;
    for (const Group& group : groups_) {
      for (const Slot& slot : group.slots) {
        if (slot.parameter.is_same(parameter)) return slot.name;
      }
    }
  }
  return "";
}

void Optimizer::restore(const std::map<std::string, at::Tensor>& state) {
  const auto take = [&](const std::string& name, const at::Tensor& like, at::Tensor& target) {
    const auto found = state.find(name);
    target = at::Tensor();
    if (found == state.end()) return;
    target = like.defined() ? at::zeros_like(like) : at::zeros({}, found->second.options());
    target.copy_(found->second);
  };
  for (Group& group : groups_) {
    for (Slot& slot : group.slots) {
      const at::Tensor parameter = slot.parameter.detach();
      take(slot.name + "/first", parameter, slot.first);
      take(slot.name + "/second", parameter, slot.second);
      at::Tensor none;
      take(slot.name + "/steps", none, slot.steps);
      if (slot.steps.defined()) slot.steps = slot.steps.to(parameter.device());
    }
  }
}

void Optimizer::zero_grad() {
  for (const at::Tensor& parameter : all_) parameter.mutable_grad().reset();
}

std::vector<std::pair<std::string, at::Tensor>> Optimizer::state() const {
  std::vector<std::pair<std::string, at::Tensor>> state;
  for (const Group& group : groups_) {
    for (const Slot& slot : group.slots) {
      if (slot.first.defined()) state.emplace_back(slot.name + "/first", slot.first);
      if (slot.second.defined()) state.emplace_back(slot.name + "/second", slot.second);
      if (slot.steps.defined()) state.emplace_back(slot.name + "/steps", slot.steps);
    }
  }
  return state;
}

}  // namespace retort::host
