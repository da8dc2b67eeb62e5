#pragma once

#include <ATen/core/Tensor.h>

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

/// Which tensors of strategies a step may write before its update: buffers alone, or where it is of
/// several batches the trained ones too, which after_backward() of its first batches may write.
enum class KeptTensors { Buffers, BuffersAndTrained };

/// What the forward passes of one optimizer step change before the update, as it was before them:
/// the student's buffers, the strategies' own tensors, and the sums of metrics and losses. With it
/// `non_finite = "skip"` undoes a step. The gradients are the optimizer's.
class StepMemory {
 public:
  StepMemory(const Phase& phase, KeptTensors kept);

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

/// Counts a step of so many batches that is left out for a problem, and tells of it.
/// Throws: NonFiniteError when too many steps in a row were.
void count_skipped_step(TrainingState& state, const std::string& problem, int64_t batches);

/// The point's state with the counts of one rollback more than `now`, and half its learning rate.
/// Throws: NonFiniteError when there were too many.
TrainingState make_rolled_back_state(const RollbackPoint& point, const TrainingState& now,
                                     const std::string& problem);

}  // namespace retort::host
