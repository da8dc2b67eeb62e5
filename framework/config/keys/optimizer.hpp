#pragma once

#include <string>

#include "framework/config/section.hpp"

namespace retort::host {

struct OptimizerConfig {
  enum class Kind { Sgd, Adam, AdamW, Dot } kind = Kind::Sgd;
  double lr = 0.1;
  double momentum = 0.9;  // sgd, dot
  bool nesterov = false;  // sgd
  double delta = 0.075;   // dot: what the momentum of the task has less, that of the transfers more
  double weight_decay = 5e-4;
  double beta1 = 0.9;  // adam, adamw: betas = [0.9, 0.999]
  double beta2 = 0.999;
  double eps = 1e-8;

  /// Whether it treats the gradients of task and transfers differently, so that each needs a backward
  /// pass of its own.
  bool keeps_groups_apart() const { return kind == Kind::Dot; }
};

}  // namespace retort::host

namespace retort::host::config {

/// { name = "sgd", lr = 0.1 }
void read_optimizer(Section section, OptimizerConfig& optimizer);

/// The table in braces.
std::string write_optimizer(const OptimizerConfig& optimizer);

}  // namespace retort::host::config
