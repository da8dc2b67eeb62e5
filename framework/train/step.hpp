#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "framework/data/batch.hpp"
#include "framework/train/backward.hpp"
#include "framework/train/learner.hpp"
#include "framework/train/loss_reader.hpp"
#include "framework/train/passes.hpp"
#include "framework/train/phase.hpp"
#include "framework/train/step_view.hpp"

namespace retort::host {

/// The parts of a step, in their order. "Teacher": the passes of all who do not learn.
enum class StepPart { Data, Teacher, Forward, Loss, Backward, Optimizer };
inline constexpr size_t kStepParts = 6;

/// Seconds spent in each part of the steps so far.
using StepTimes = std::array<double, kStepParts>;

/// Adds up the time between marks.
class StepClock {
 public:
  StepClock(at::Device device, StepTiming timing) : device_(device), timing_(timing) {}
  void start();
  /// A part ends here, and the next one begins.
  void mark(StepPart part);
  const StepTimes& times() const { return times_; }

 private:
  at::Device device_;
  StepTiming timing_;
  double last_ = 0;
  StepTimes times_{};
};

/// What changes from step to step beside the batch.
struct StepNumbers {
  int64_t epoch = 0;          // 0-based
  int64_t step = 0;           // 0-based, over all epochs
  double epoch_position = 0;  // for weights: epochs since the start
  double progress = 0;        // 0 at the first step, towards 1
  int64_t group = 1;          // batches that make one step of the optimizer
};

/// A step between its backward passes and its update.
struct StepResult {
  LossTerms terms;                               // each term's, then "loss", their weighted sum
  std::vector<std::pair<Term*, StepView>> seen;  // by the terms, for after_backward()
};

/// All of a step that runs on the device: forward passes, terms, backward passes, update. Which steps
/// there are, and what becomes of one that is not finite, is decided by who calls it.
///   loss = sum_k weight_k * L_k / group, the terms in the phase's order
/// Of several learners each is updated from the same loss: a term reaches its own learner alone, since
/// what it is handed of the others has no gradient. There is one backward pass, of the whole loss; where
/// the optimizers keep gradient groups apart, one of each group's part of it.
class StepRunner {
 public:
  /// The phase, whose transfers are set up, and the others must outlive it.
  StepRunner(const Phase& phase, std::vector<Learner>& learners, StepClock& clock);

  /// Passes of those who do not learn, without gradients and only where a term of non-zero weight wants
  /// them; then the learners'; the terms in order; the backward passes.
  /// Throws: what plugins throw; PluginError naming them where a backward pass fails.
  StepResult run(const Batch& batch, const StepNumbers& numbers);

  /// The joint norm of each learner's gradient, [] float32.
  std::vector<at::Tensor> make_gradient_norms() const;
  /// Clips each learner's gradient where train.clip_norm asks for it, steps, and clears the gradients.
  void update(double rate, const std::vector<at::Tensor>& norms);
  /// Of all terms of the step.
  void after_backward(const StepResult& result);

 private:
  using ActiveTerms = std::vector<std::pair<size_t, double>>;  // positions, with their weights
  using GroupLosses = std::map<GradientGroup, at::Tensor>;     // sums of weighted losses

  ActiveTerms find_active_terms(double epoch_position) const;
  std::vector<bool> find_wanted(const ActiveTerms& active) const;
  Batch move(const Batch& batch, const std::vector<bool>& wanted) const;
  Outputs make_outputs(const Pass& pass, const Batch& batch, int64_t step) const;
  std::vector<Outputs> run_passes(const Batch& batch, const StepNumbers& numbers,
                                  const std::vector<bool>& wanted);
  void warn_of_lost_path(const Term& term, const at::Tensor& loss, const StepNumbers& numbers);
  LossGraph make_graph(const StepNumbers& numbers) const;
  GradientGroup find_group(const Term& term) const;
  void go_back(GroupLosses losses, const StepNumbers& numbers, const LossGraph& graph);

  const Phase& phase_;
  std::vector<Learner>& learners_;
  StepClock& clock_;
  at::Device device_;
  Passes passes_;
  // Of terms whose loss had a gradient path in a step: whether its loss since was told.
  std::map<const Term*, bool> told_pathless_;
};

}  // namespace retort::host
