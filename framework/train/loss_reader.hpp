#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/train/training_state.hpp"

namespace retort::host {

/// The loss terms of one step, each a [] tensor without gradient.
struct LossTerms {
  std::vector<std::string> names;
  std::vector<at::Tensor> values;

  void add(const std::string& name, const at::Tensor& value) {
    names.push_back(name);
    values.push_back(value.detach());
  }
};

/// The first number of a step that was not finite.
struct NotFinite {
  int64_t step = 0;
  std::string term;  // "": the gradient's norm
  double value = 0;
};

/// Reads the losses of many steps from the device at once, so that a GPU is not waited for each
/// step, and keeps the epoch's means. The sums are in the TrainingState, which resumes them.
class LossReader {
 public:
  /// Takes the terms of the state's step. They must be `state.terms`.
  void add(const LossTerms& terms, const TrainingState& state);
  /// Takes the norm of the gradient that a step's update used.
  void add_norm(int64_t step, const at::Tensor& norm) { norms_.emplace_back(step, norm); }
  /// Steps whose losses were not read yet.
  int64_t unread() const { return static_cast<int64_t>(losses_.size()); }

  /// Reads them into the state's sums. What is not finite is returned, and then none of them count.
  std::optional<NotFinite> read(TrainingState& state);
  /// Forgets what was not read, and takes the means of another state.
  void restart(const TrainingState& state);
  /// An epoch begins: no means yet.
  void clear_means() { means_.clear(); }

  /// "task", each transfer, "loss": means of the epoch over the steps that were read.
  const std::vector<std::pair<std::string, double>>& means() const { return means_; }

 private:
  void take_means(const TrainingState& state);

  std::vector<std::vector<at::Tensor>> losses_;        // a list a step, of one tensor a term
  std::vector<std::pair<int64_t, at::Tensor>> norms_;  // step, norm of its gradient
  int64_t first_step_ = 0;                             // of losses_
  std::vector<std::pair<std::string, double>> means_;
};

}  // namespace retort::host
