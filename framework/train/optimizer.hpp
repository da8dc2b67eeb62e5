#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "framework/bridge/parameter_set.hpp"
#include "framework/config/experiment.hpp"
#include "framework/train/gradient_group.hpp"

namespace retort::host {

/// SGD, Adam, AdamW or DOT over the parameters of some owners that learn, those that require a
/// gradient, through LibTorch's fused kernels: one call updates all parameters that share weight decay
/// and learning-rate scale. A parameter without a gradient is left out of the step.
///
/// DOT gives the gradients of task and transfers a momentum each. Where both reach a parameter:
///   task     <- (momentum - delta) * task + g_task + weight_decay * w
///   transfer <- (momentum + delta) * transfer + g_transfer
///   w        <- w - lr * (task + transfer)
/// One that a single group reaches in a step gets plain SGD's update, with the group's own buffer.
/// Source:  aten::_fused_sgd_, _fused_adam_, _fused_adamw_; PyTorch's torch.optim semantics (decay
///          added to the gradient for sgd, dot and adam, decoupled for adamw; dampening 0). DOT: Zhao
///          et al. 2023, "DOT: A Distillation-Oriented Trainer"; the single group as in their code.
/// Differs: their code leaves the decay out of the first step of a parameter that the transfers alone
///          reach.
class Optimizer {
 public:
  Optimizer(const TrainConfig& train, const std::vector<ParameterSet*>& owners);

  /// Says whose gradients the next backward passes add to: until told, the task's. They stand in the
  /// parameters' grad(); those of the other group are laid aside.
  void collect(GradientGroup group);

  /// Scales all gradients down so that their joint 2-norm, `norm` now, is at most max_norm. Does
  /// not wait for the device.
  void clip(double max_norm, const at::Tensor& norm);
  void step(double lr);
  /// Forgets the gradients.
  void zero_grad();

  /// State by name, as it goes into a checkpoint: "student/conv1.weight/first" is the momentum (of
  /// the task in DOT) or Adam's first moment, ".../second" the transfers' momentum or Adam's second
  /// moment, ".../steps" Adam's count of steps.
  std::vector<std::pair<std::string, at::Tensor>> state() const;
  /// Takes a state of the same parameters back; what it does not name starts anew.
  void restore(const std::map<std::string, at::Tensor>& state);

  /// The joint 2-norm of all gradients, where there are two groups of their sum: [] float32, not finite
  /// where one of them is not.
  at::Tensor gradient_norm() const;
  /// "student/conv1.weight": the first parameter whose gradient is not finite, or "".
  std::string first_bad_gradient() const;

 private:
  struct Slot {
    std::string name;  // owner/parameter
    at::Tensor parameter;
    at::Tensor aside;   // the gradient of the group that is not collected now
    at::Tensor first;   // momentum, or Adam's first moment
    at::Tensor second;  // the transfers' momentum, or Adam's second moment
    at::Tensor steps;   // Adam's step count, [] float32
  };
  /// What one fused call can update.
  struct Bundle {
    double weight_decay;
    double lr_scale;
    std::vector<size_t> slots;  // places in slots_
  };

  void add(const Parameter& parameter, const std::string& owner, const TrainConfig& train);
  const at::Tensor& gradient(const Slot& slot, GradientGroup group) const;
  std::vector<at::Tensor> list_gradients() const;
  std::vector<at::Tensor> sum_gradients() const;
  void step_sgd(const Bundle& bundle, double lr);
  void step_dot(const Bundle& bundle, double lr);
  void step_adam(const Bundle& bundle, double lr);

  OptimizerConfig config_;
  std::vector<Slot> slots_;  // in the order of their declaration
  std::vector<Bundle> bundles_;
  GradientGroup collected_ = GradientGroup::Task;
};

}  // namespace retort::host
