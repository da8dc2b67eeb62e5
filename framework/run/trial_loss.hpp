#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "framework/train/phase.hpp"

namespace retort::host {

/// The gradients of some tensors.
struct Gradients {
  double largest = 0;  // absolute
  double pull = 0;     // sum of |gradient * tensor|

  /// Adds that of a tensor, and takes it off it.
  void take(const at::Tensor& tensor);
};

/// What one call of a loss came to.
struct TrialLoss {
  double value = 0;
  bool reaches_student = false;  // by a gradient path
  Gradients student, own;
  std::vector<std::string> reached;    // own parameters, by name
  std::vector<std::string> unreached;  // the same

  bool has_path() const { return reaches_student || !reached.empty(); }
  bool teaches_student() const;
  bool teaches_itself() const;
};

/// The outputs as leaves: what a loss could teach the student is their gradient.
Outputs make_leaves(const Outputs& outputs);

/// The features, then the logits.
std::vector<at::Tensor> list_tensors(const Outputs& outputs);

/// Calls a loss and its backward pass. The student's tensors in `step` are leaves.
TrialLoss try_loss(Transfer& transfer, const StepView& step);

/// Whether a loss that taught nothing in the first step can do so later: after one update of its
/// state, in the last step, with other student outputs and own parameters. So a warm-up, an empty
/// memory bank, an adapter that starts at 0 and a student that equals its teacher are not taken for a
/// mistake. Returns `before`, or what it comes to later.
TrialLoss try_later(Transfer& transfer, const StepView& first, const TrialLoss& before,
                    const Phase& phase);

}  // namespace retort::host
