#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/bridge/scope.hpp"
#include "framework/train/phase.hpp"
#include "framework/train/training_state.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {

/// Training at one moment, in copies of its own: what `non_finite = "rollback"` goes back to.
struct RollbackPoint {
  TrainingState state;
  std::vector<NamedTensor> tensors;
};

/// What the forward passes of one optimizer step change before the update, as it was before them:
/// the learners' buffers, the strategies' own tensors, and the sums of metrics and losses. With it
/// `non_finite = "skip"` undoes a step. The gradients are the optimizer's.
class StepMemory {
 public:
  /// With train.accumulate the strategies' trained tensors too, which after_backward() of a step's first
  /// batches may write.
  explicit StepMemory(const Phase& phase);

  void take(const TrainingState& state, const MetricSink& metrics);
  /// Puts everything back; the state's counts of steps stay.
  void put_back(TrainingState& state, MetricSink& metrics);

 private:
  std::vector<at::Tensor> originals_, copies_;
  std::vector<MetricSink::Entry> metrics_;
  std::vector<std::string> terms_;
  std::vector<double> loss_sums_;
  int64_t loss_count_ = 0;
};

/// What becomes of a step whose loss or gradient is not finite, as train.non_finite says: training ends,
/// the step is left out, or training goes back to the start of its epoch with half the learning rate.
class NonFinitePolicy {
 public:
  explicit NonFinitePolicy(const Phase& phase);

  /// Whether it undoes anything, so that each step must be read before the next one.
  bool undoes() const { return kind_ != NonFinite::Stop; }
  bool rolls_back() const { return kind_ == NonFinite::Rollback; }

  /// Before the first batch of an optimizer step.
  void begin_step(const TrainingState& state, const MetricSink& metrics);
  /// At the start of an epoch, or where training goes on within one without a point; copies the tensors.
  void set_point(TrainingState state, const std::vector<NamedTensor>& tensors);
  void set_point(RollbackPoint point) { point_ = std::move(point); }
  void forget_point() { point_.reset(); }
  const std::optional<RollbackPoint>& point() const { return point_; }

  /// What was done, and is left to do.
  enum class Done {
    Skipped,    // state and metrics are those before the step; its batches are to be passed over
    RolledBack  // the state is that of the point; its tensors are to be put back
  };
  /// Deals with a problem of a step of so many batches.
  /// Throws: NonFiniteError where training is to end, and where too many steps were bad.
  Done recover(const std::string& problem, int64_t batches, TrainingState& state,
               MetricSink& metrics);
  /// The same for weights that are not finite after an epoch, which no skipped step mends.
  Done recover_weights(const std::string& problem, TrainingState& state);

 private:
  NonFinite kind_;
  std::optional<StepMemory> memory_;
  std::optional<RollbackPoint> point_;  // an epoch's start
};

}  // namespace retort::host
