#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/bridge/parameter_set.hpp"
#include "framework/config/experiment.hpp"

namespace retort::host {

/// SGD, Adam or AdamW over the parameters of some owners that learn, those that require a gradient,
/// through LibTorch's fused kernels: one call updates all parameters that share weight decay and
/// learning-rate scale. A parameter without a gradient is left out of the step.
/// Source:  aten::_fused_sgd_, _fused_adam_, _fused_adamw_; PyTorch's torch.optim semantics (decay
///          added to the gradient for sgd and adam, decoupled for adamw; dampening 0).
class Optimizer {
 public:
  Optimizer(const TrainConfig& train, const std::vector<ParameterSet*>& owners);

  /// Scales all gradients down so that their joint 2-norm, `norm` now, is at most max_norm. Does
  /// not wait for the device.
  void clip(double max_norm, const at::Tensor& norm);
  void step(double lr);
  /// Forgets the gradients.
  void zero_grad();
  const std::vector<at::Tensor>& parameters() const { return all_; }

  /// State by name, as it goes into a checkpoint: "student/conv1.weight/first" is the momentum or
  /// Adam's first moment, ".../second" its second, ".../steps" its count of steps.
  std::vector<std::pair<std::string, at::Tensor>> state() const;
  /// Takes a state of the same parameters back; what it does not name starts anew.
  void restore(const std::map<std::string, at::Tensor>& state);

  /// The joint 2-norm of all gradients, [] float32: not finite where one of them is not.
  at::Tensor gradient_norm() const;
  /// "student/conv1.weight": the first parameter whose gradient is not finite, or "".
  std::string first_bad_gradient() const;

 private:
  struct Slot {
    std::string name;  // owner/parameter
    at::Tensor parameter;
    at::Tensor first;   // momentum, or Adam's first moment
    at::Tensor second;  // Adam's second moment
    at::Tensor steps;   // Adam's step count, [] float32
  };
  struct Group {
    double weight_decay;
    double lr_scale;
    std::vector<Slot> slots;
  };
  struct Lists;

  void add(const Parameter& parameter, const std::string& owner, const TrainConfig& train);
  std::vector<at::Tensor> gradients() const;
  void step_sgd(Group& group, Lists& lists, double lr);
  void step_adam(const Group& group, Lists& lists, double lr);

  OptimizerConfig config_;
  std::vector<Group> groups_;
  std::vector<at::Tensor> all_;
};

}  // namespace retort::host
