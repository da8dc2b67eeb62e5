#include "framework/train/fused_sgd.hpp"

#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/zeros_like.h>

namespace retort::host {

void FusedSgd::add(const at::Tensor& parameter, const at::Tensor& gradient, at::Tensor& buffer) {
  if (!gradient.defined()) return;
  parameters_.push_back(parameter.detach());
  gradients_.push_back(gradient);
  if (numbers_.momentum == 0) return;
  if (!buffer.defined()) buffer = at::zeros_like(parameters_.back());
  buffers_.push_back(buffer);
}

void FusedSgd::step(double lr) {
  if (parameters_.empty()) return;
  // The buffers start at zero, where the first step of plain momentum gives the gradient itself:
  // the same numbers as PyTorch's special first step, also for a parameter whose first gradient
  // comes late.
  at::_fused_sgd_(parameters_, gradients_, buffers_, numbers_.weight_decay, numbers_.momentum, lr,
                  /*dampening=*/0, numbers_.nesterov, /*maximize=*/false, /*is_first_step=*/false);
}

}  // namespace retort::host
