#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/data/loader.hpp"
#include "framework/train/evaluate.hpp"
#include "framework/train/network.hpp"
#include "framework/train/optimizer.hpp"
#include "framework/train/transfer.hpp"

namespace retort::host {

/// The parts of a training step, for timing.
enum class StepPart { Data, Teacher, Forward, Loss, Backward, Optimizer };
inline constexpr size_t kStepParts = 6;

/// Seconds spent in each part of the steps so far.
using StepTimes = std::array<double, kStepParts>;

/// What one training run is made of. Nothing is owned.
struct TrainingPlan {
  std::string phase;  // "teacher", "alone", "distil"
  Network* student = nullptr;
  Network* teacher = nullptr;  // null: no transfer, or only ones that need none
  std::vector<Transfer*> transfers;
  double task_weight = 1;
  TrainConfig train;
  const ImageData* data = nullptr;
  const ViewMaker* student_views = nullptr;
  const ViewMaker* teacher_views = nullptr;  // the same object where both normalise alike
  int64_t batch_size = 0;
  uint64_t seed = 0;
  bool measure =
      false;  // wait for the device after each part, so that StepTimes mean something on a GPU
};

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

/// What one epoch came to.
struct EpochReport {
  int64_t epoch = 0;  // 1-based
  double lr = 0;      // of its last step
  std::vector<std::pair<std::string, double>> losses;
  std::vector<std::pair<std::string, double>> metrics;  // what strategies logged
  Accuracy accuracy;
  bool best = false;
  double train_seconds = 0;
};

/// Trains a student: alone, or with the teacher's knowledge through transfers.
///   loss = task.weight * cross_entropy + sum_k weight_k * L_k
class Trainer {
 public:
  /// Sets the transfers up. Throws: ConfigError for taps that do not exist, and what setup()
  /// throws.
  explicit Trainer(const TrainingPlan& plan);

  /// Called after each step and after each epoch's evaluation.
  std::function<void(const Progress&)> on_progress;
  std::function<void(const EpochReport&)> on_epoch;

  /// Trains all epochs, or until a signal asks to stop. Returns whether it came to the end.
  /// Throws: NonFiniteError that names the step and the term; what plugins throw.
  bool run();
  /// Runs steps without evaluation, for measuring and checking: at most `steps` of them, from the
  /// first epoch on.
  void run_steps(int64_t steps);

  const StepTimes& times() const { return times_; }
  int64_t steps_done() const { return step_; }
  Optimizer& optimizer() { return optimizer_; }

 private:
  struct Timer;
  struct Terms;

  void set_up_transfers();
  bool train_epoch(int64_t epoch, int64_t max_steps);
  void train_step(const Batch& batch, int64_t epoch);
  std::vector<std::pair<Transfer*, double>> active_transfers() const;
  StepInputs forward(const Batch& batch, int64_t epoch, bool with_teacher);
  void collect(const Terms& terms);
  void flush_losses();
  void report_progress(int64_t epoch, int64_t step_in_epoch, double seconds);
  double epoch_position() const;
  void mark(StepPart part);

  TrainingPlan plan_;
  Loader loader_;
  Optimizer optimizer_;
  MetricSink metrics_;
  std::vector<std::string> student_taps_, teacher_taps_;  // of all transfers together
  int64_t step_ = 0;                                      // over all epochs
  int64_t steps_total_ = 0;

  StepTimes times_{};
  double mark_ = 0;

  // Losses of steps that the host has not read yet: one [] tensor a term, so that a GPU is not
  // waited for each step.
  std::vector<std::string> term_names_;
  std::vector<std::vector<at::Tensor>> unread_;
  int64_t first_unread_ = 0;                            // the step of the first
  std::vector<std::pair<std::string, double>> losses_;  // means of the epoch so far
  std::vector<double> loss_sums_;
  int64_t loss_count_ = 0;
};

}  // namespace retort::host
