#include "framework/train/optimizer.hpp"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "framework/train/fused_adam.hpp"
#include "framework/train/fused_sgd.hpp"

namespace retort::host {

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
  auto bundle = std::find_if(bundles_.begin(), bundles_.end(), [&](const Bundle& candidate) {
    return candidate.weight_decay == decay && candidate.lr_scale == parameter.lr_scale;
  });
  if (bundle == bundles_.end())
    bundle = bundles_.insert(bundles_.end(), {decay, parameter.lr_scale, {}});
  bundle->slots.push_back(slots_.size());
  Slot& slot = slots_.emplace_back();
  slot.name = owner + "/" + parameter.name;
  slot.parameter = parameter.master;
}

void Optimizer::collect(GradientGroup group) {
  if (group == collected_) return;
  for (Slot& slot : slots_) std::swap(slot.parameter.mutable_grad(), slot.aside);
  collected_ = group;
}

/// May be undefined.
const at::Tensor& Optimizer::gradient(const Slot& slot, GradientGroup group) const {
  return group == collected_ ? slot.parameter.grad() : slot.aside;
}

void Optimizer::step(double lr) {
  using Kind = OptimizerConfig::Kind;
  for (const Bundle& bundle : bundles_) {
    const double rate = lr * bundle.lr_scale;
    switch (config_.kind) {
      case Kind::Sgd:
        step_sgd(bundle, rate);
        break;
      case Kind::Dot:
        step_dot(bundle, rate);
        break;
      case Kind::Adam:
      case Kind::AdamW:
        step_adam(bundle, rate);
        break;
    }
  }
}

void Optimizer::step_sgd(const Bundle& bundle, double lr) {
  FusedSgd update({config_.momentum, bundle.weight_decay, config_.nesterov});
  for (const size_t i : bundle.slots) {
    Slot& slot = slots_[i];
    update.add(slot.parameter, slot.parameter.grad(), slot.first);
  }
  update.step(lr);
}

void Optimizer::step_dot(const Bundle& bundle, double lr) {
  FusedSgd alone({config_.momentum, bundle.weight_decay});
  FusedSgd task({config_.momentum - config_.delta, bundle.weight_decay});
  FusedSgd transfer({config_.momentum + config_.delta, 0});
  for (const size_t i : bundle.slots) {
    Slot& slot = slots_[i];
    const at::Tensor& of_task = gradient(slot, GradientGroup::Task);
    const at::Tensor& of_transfer = gradient(slot, GradientGroup::Transfer);
    const bool both = of_task.defined() && of_transfer.defined();
    (both ? task : alone).add(slot.parameter, of_task, slot.first);
    (both ? transfer : alone).add(slot.parameter, of_transfer, slot.second);
  }
  alone.step(lr);
  task.step(lr);  // first, so that it decays the weights from before the step
  transfer.step(lr);
}

void Optimizer::step_adam(const Bundle& bundle, double lr) {
  FusedAdam update(config_, bundle.weight_decay);
  for (const size_t i : bundle.slots) {
    Slot& slot = slots_[i];
    update.add(slot.parameter, slot.parameter.grad(), {slot.first, slot.second, slot.steps});
  }
  update.step(lr);
}

/// Of all groups.
std::vector<at::Tensor> Optimizer::list_gradients() const {
  std::vector<at::Tensor> gradients;
  for (const Slot& slot : slots_) {
    if (slot.parameter.grad().defined()) gradients.push_back(slot.parameter.grad());
    if (slot.aside.defined()) gradients.push_back(slot.aside);
  }
  return gradients;
}

/// A gradient for each parameter that has one.
std::vector<at::Tensor> Optimizer::sum_gradients() const {
  std::vector<at::Tensor> sums, collected, aside;
  for (const Slot& slot : slots_) {
    const at::Tensor& gradient = slot.parameter.grad();
    if (gradient.defined() && slot.aside.defined()) {
      collected.push_back(gradient);
      aside.push_back(slot.aside);
    } else if (gradient.defined() || slot.aside.defined()) {
      sums.push_back(gradient.defined() ? gradient : slot.aside);
    }
  }
  if (collected.empty()) return sums;
  const std::vector<at::Tensor> added = at::_foreach_add(collected, aside);
  sums.insert(sums.end(), added.begin(), added.end());
  return sums;
}

at::Tensor Optimizer::gradient_norm() const {
  const std::vector<at::Tensor> gradients = sum_gradients();
  if (gradients.empty()) {  // a learner that no term of this step reaches
    const at::Device device =
        slots_.empty() ? at::Device(at::kCPU) : slots_.front().parameter.device();
    return at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(device));
  }
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
}

void Optimizer::clip(double max_norm, const at::Tensor& norm) {
  const std::vector<at::Tensor> gradients = list_gradients();
  if (gradients.empty()) return;
  at::_foreach_mul_(gradients, norm.add(1e-6).reciprocal().mul(max_norm).clamp_max(1));
}

std::string Optimizer::first_bad_gradient() const {
  for (const Slot& slot : slots_) {
    for (const at::Tensor& gradient : {slot.parameter.grad(), slot.aside}) {
      if (!gradient.defined()) continue;
      if (!std::isfinite(at::linalg_vector_norm(gradient).item().toDouble())) return slot.name;
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
  for (Slot& slot : slots_) {
    const at::Tensor parameter = slot.parameter.detach();
    take(slot.name + "/first", parameter, slot.first);
    take(slot.name + "/second", parameter, slot.second);
    at::Tensor none;
    take(slot.name + "/steps", none, slot.steps);
    if (slot.steps.defined()) slot.steps = slot.steps.to(parameter.device());
  }
}

void Optimizer::zero_grad() {
  for (Slot& slot : slots_) {
    slot.parameter.mutable_grad().reset();
    slot.aside.reset();
  }
  collected_ = GradientGroup::Task;
}

std::vector<std::pair<std::string, at::Tensor>> Optimizer::state() const {
  std::vector<std::pair<std::string, at::Tensor>> state;
  for (const Bundle& bundle : bundles_) {
    for (const size_t i : bundle.slots) {
      const Slot& slot = slots_[i];
      if (slot.first.defined()) state.emplace_back(slot.name + "/first", slot.first);
      if (slot.second.defined()) state.emplace_back(slot.name + "/second", slot.second);
      if (slot.steps.defined()) state.emplace_back(slot.name + "/steps", slot.steps);
    }
  }
  return state;
}

}  // namespace retort::host
