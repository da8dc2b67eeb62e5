#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/data/loader.hpp"
#include "framework/train/evaluate.hpp"
#include "framework/train/learner.hpp"
#include "framework/train/loss_reader.hpp"
#include "framework/train/non_finite.hpp"
#include "framework/train/phase.hpp"
#include "framework/train/step.hpp"
#include "framework/train/training_state.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {

/// Where training stands, after a step.
struct Progress {
  const std::string& phase;
  int64_t epoch;  // 0-based
  int64_t epochs;
  int64_t step;  // in this epoch, finished
  int64_t steps;
  double images_per_second;
  double seconds_left;  // of training in this phase, at that speed
  const std::vector<std::pair<std::string, double>>&
      losses;  // "task", each transfer, "loss": means of the epoch
};

/// What one epoch came to for one learner.
struct LearnerReport {
  std::string name;
  Accuracy accuracy;  // on the test split
  std::optional<Accuracy> validation;
  bool best = false;
};

/// What one epoch came to.
struct EpochReport {
  int64_t epoch = 0;  // 1-based
  double lr = 0;      // of its last step
  std::vector<std::pair<std::string, double>> losses;
  std::vector<std::pair<std::string, double>> metrics;  // what strategies logged
  std::vector<LearnerReport> learners;
  double train_seconds = 0;
};

/// Trains the learners of a phase: epochs of steps, each evaluated, and the state that a resumed run goes
/// on from. The steps are StepRunner's; what becomes of one that is not finite is NonFinitePolicy's.
class Loop {
 public:
  /// Sets those transfers up that are not. Throws: ConfigError for taps that do not exist, and what setup()
  /// throws.
  explicit Loop(Phase phase);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Called after each step, after each epoch's evaluation, and where run.checkpoint_steps asks for
  /// a state within an epoch.
  std::function<void(const Progress&)> on_progress;
  std::function<void(const EpochReport&)> on_epoch;
  std::function<void()> on_checkpoint;
  int64_t checkpoint_steps = 0;
  /// Called while a learner's network holds the weights of its new best epoch, averaged ones included.
  std::function<void(const Participant&)> on_best;

  /// Trains all epochs that are left, or until a signal asks to stop. Returns whether it came to
  /// the end; the networks then hold the averaged weights where train.ema asks for them.
  /// Throws: NonFiniteError that names the step and the term, or after an epoch the weight, and where
  ///         every step was skipped; what plugins throw.
  bool run();

  /// Where training stands: after a step, never within one.
  TrainingState state() const;
  /// The state that a rollback returns to; nothing outside an epoch, and where train.non_finite
  /// asks for none.
  std::optional<TrainingState> rollback_state() const;
  /// All tensors that change in training, by name, and those that a rollback returns to, with
  /// "rollback/" before their names; copies of nothing.
  std::vector<NamedTensor> tensors() const;
  /// Goes on from there. Warns where a rollback will not return to the epoch's start since the
  /// state does not hold it.
  /// Throws: DataError when a tensor is missing or of another shape; nothing is changed then.
  void restore(const TrainingState& state, const std::vector<NamedTensor>& tensors,
               const std::optional<TrainingState>& rollback = {});

  /// Runs steps without evaluation, for measuring and checking: at most `steps` of them, from the
  /// first epoch on.
  void run_steps(int64_t steps);

  const StepTimes& times() const { return clock_.times(); }
  /// Each loss term of the epoch so far, its mean over the steps that were read.
  const std::vector<std::pair<std::string, double>>& losses() const { return losses_.means(); }
  int64_t steps_done() const { return state_.step; }

 private:
  enum class Ended { Whole, Stopped, RolledBack };

  // loop.cpp: epochs.
  void begin_epoch();
  void finish_epoch();
  LearnerReport judge(const Learner& learner, Standing& standing) const;
  Ended train_epoch(int64_t max_steps);
  bool mid_accumulation() const;
  double rate_at(int64_t step) const;
  void report_progress(int64_t epoch, int64_t step_in_epoch, int64_t steps_now, double seconds);

  // loop_step.cpp: one batch.
  void train_step(const Batch& batch);
  bool pass_over_batch();
  std::string update(double rate);
  std::string collect(const LossTerms& terms);
  std::string flush_losses();
  void flush_or_throw();
  StepNumbers numbers() const;
  int64_t group_size(int64_t batch) const;

  // loop_state.cpp: steps that are not finite, and what is saved.
  void recover(const std::string& problem);
  void roll_back();
  const char* remedy_at(int64_t step) const;
  std::string find_bad_gradient(int64_t step) const;
  std::string find_bad_buffer() const;
  void check_weights();
  void check_skipped() const;
  void note_start();
  void warn_of_idle_weights();
  bool holds_rollback_point() const;
  std::vector<NamedTensor> current_tensors() const;
  std::vector<std::pair<at::Tensor, at::Tensor>> match(const std::vector<NamedTensor>& given) const;
  void put_back(const TrainingState& state, const std::vector<NamedTensor>& given);

  Phase phase_;
  Sampler sampler_;
  Loader loader_;
  std::vector<Learner> learners_;
  StepClock clock_;
  StepRunner runner_;
  NonFinitePolicy policy_;
  MetricSink metrics_;
  TrainingState state_;
  int64_t steps_total_ = 0;
  bool reads_each_step_;
  bool rolled_back_ = false;
  bool passing_over_ = false;  // the batches that are left of a group that is skipped
  // Some numbers of each trained parameter before the first step, until the first epoch is over: by
  // learner.
  std::vector<std::vector<std::pair<at::Tensor, at::Tensor>>> start_;

  double epoch_seconds_ = 0;

  LossReader losses_;
};

}  // namespace retort::host
