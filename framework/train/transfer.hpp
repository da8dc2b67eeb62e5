#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/bridge/scope.hpp"
#include "framework/config/experiment.hpp"
#include "framework/plugin/instance.hpp"
#include "framework/train/network.hpp"

namespace retort::host {

/// Whether the strategy declares that it reads this; without any declaration it reads the logits.
bool reads(const ComponentInfo& strategy, retort_need need);

/// What a strategy is told of the run before training.
struct RunShape {
  int64_t class_count = 0;
  int64_t train_count = 0;  // of the whole split, also where some of it is held out
  int64_t batch_size = 0;
  int64_t epoch_count = 0;
  int64_t step_count = 0;
  const int64_t* labels = nullptr;  // train_count of them; a step's indices are places in it
};

/// The shapes of one network's outputs for a batch.
struct OutputShapes {
  std::vector<int64_t> logits;
  std::vector<std::vector<int64_t>> features;
};

/// What a strategy may see of one step: of this it is handed what it reads().
struct StepInputs {
  Outputs student;
  Outputs teacher;
  at::Tensor labels;
  at::Tensor indices;
  at::Tensor progress;  // [] float32
  int64_t epoch = 0;
  int64_t step = 0;
};

/// One [[transfer]]: the plugin's strategy object, its own modules, and its weight over time.
class Transfer {
 public:
  Transfer(const TransferConfig& config, at::Device device, uint64_t seed,
           at::ScalarType float_type = at::kFloat);

  /// Binds the strategy to the taps of two networks, and sets it up. `key` is the transfer's place
  /// in the file, "transfer[0]"; the teacher may be null where a strategy needs none, which is never
  /// handed one.
  /// Throws: ConfigError for a tap that does not exist, for another number of taps on the two sides,
  ///         and for shapes that the strategy refuses; what else it throws in setup().
  void setup(const RunShape& run, Network& student, Network* teacher, const std::string& key);

  /// Sets the strategy up for outputs of these shapes, of which the taps bound are the names.
  /// Throws: ShapeError where there are more features than taps; what it throws in setup().
  void setup(const RunShape& run, const OutputShapes& student, const OutputShapes& teacher);

  bool is_set_up() const { return is_set_up_; }

  /// The unweighted loss, a [] tensor. Throws: what the strategy throws; PluginError when the loss
  /// is not one element.
  at::Tensor loss(const StepInputs& step);
  void after_backward(const StepInputs& step);

  /// What the strategy refuses of what the experiment binds, as a mistake of the experiment.
  [[noreturn]] void refuse_binding(const std::string& key, const std::string& what) const;

  /// The weight at a point in training, in epochs from the start.
  double weight_at(double epoch) const;

  /// Once set up, its bindings are taps; groups are resolved.
  const TransferConfig& config() const { return config_; }
  bool needs_teacher() const { return (config_.strategy.info.needs & RETORT_NEED_NO_TEACHER) == 0; }
  ParameterSet& parameters() { return parameters_; }
  void set_metrics(MetricSink* metrics) { scope_.metrics = metrics; }
  MetricSink* metrics() const { return scope_.metrics; }
  void set_draws(Draws* draws) { scope_.draws = draws; }
  void set_recorder(Recorder* recorder) { scope_.recorder = recorder; }

 private:
  /// Calls the function with a retort_step made from the inputs.
  template <class Function>
  void with_step(const StepInputs& step, PluginFunction which, Function&& function);

  TransferConfig config_;
  ParameterSet parameters_;
  std::unique_ptr<Instance> instance_;
  const retort_strategy_interface* functions_ = nullptr;
  Scope scope_;
  bool is_set_up_ = false;
  at::Tensor returned_;  // the loss of this step, until after_backward is over: the trainer's own
};

/// The shapes of what is bound to a strategy, for a batch of n. Throws: ConfigError for a tap that
/// does not exist.
OutputShapes bound_shapes(Network& network, const std::vector<std::string>& taps, int64_t n);

}  // namespace retort::host
