#include "framework/train/fused_adam.hpp"

#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <optional>

namespace retort::host {

void FusedAdam::add(const at::Tensor& parameter, const at::Tensor& gradient, const State& state) {
  if (!gradient.defined()) return;
  parameters_.push_back(parameter.detach());
  gradients_.push_back(gradient);
  if (!state.first.defined()) state.first = at::zeros_like(parameters_.back());
  if (!state.second.defined()) {
    state.second = at::zeros_like(state.first);
    state.steps = at::zeros({}, state.first.options());
  }
  state.steps.add_(1);
  first_.push_back(state.first);
  second_.push_back(state.second);
  steps_.push_back(state.steps);
}

void FusedAdam::step(double lr) {
  if (parameters_.empty()) return;
  // The overload whose rate is a number.
  using Update =
      void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
               at::TensorList, double, double, double, double, double, bool, bool,
               const std::optional<at::Tensor>&, const std::optional<at::Tensor>&);
  const Update update = config_.kind == OptimizerConfig::Kind::Adam
                            ? static_cast<Update>(&at::_fused_adam_)
                            : static_cast<Update>(&at::_fused_adamw_);
  update(parameters_, gradients_, first_, second_, {}, steps_, lr, config_.beta1, config_.beta2,
         weight_decay_, config_.eps, /*amsgrad=*/false, /*maximize=*/false, {}, {});
}

}  // namespace retort::host
