#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/bridge/scope.hpp"
#include "framework/config/experiment.hpp"
#include "framework/plugin/instance.hpp"
#include "framework/train/output_source.hpp"
#include "framework/train/term.hpp"

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

/// One [[transfer]]: the plugin's strategy object, its own modules, and its weight over time. Of a
/// step the strategy is handed what it reads(). Several teachers are handed to it as one, whose logits
/// are the logarithm of the mean of their probabilities:
///   z = log( 1/K sum_k softmax(z_k) )
class Transfer final : public Term {
 public:
  Transfer(const TransferConfig& config, at::Device device, uint64_t seed,
           at::ScalarType float_type = at::kFloat);

  /// Binds the strategy to the taps of two participants, and sets it up. The teacher may be null where a
  /// strategy needs none, which is never handed one; of several it is the first.
  /// Throws: ConfigError for a tap that does not exist, for another number of taps on the two sides,
  ///         and for shapes that the strategy refuses; what else it throws in setup().
  void setup(const RunShape& run, OutputSource& student, OutputSource* teacher);

  /// Sets the strategy up for outputs of these shapes, of which the taps bound are the names.
  /// Throws: ShapeError where there are more features than taps; what it throws in setup().
  void setup(const RunShape& run, const OutputShapes& student, const OutputShapes& teacher);

  bool is_set_up() const { return is_set_up_; }

  const std::string& name() const override { return config_.name; }
  double weight_at(double epoch) const override;
  std::vector<Wanted> wanted() const override;
  const std::string& learner() const override { return config_.student; }
  GradientGroup gradient_group() const override { return GradientGroup::Transfer; }
  at::Tensor loss(const StepView& step) override;
  void after_backward(const StepView& step) override;
  ParameterSet* parameters() override { return &parameters_; }
  void set_metrics(MetricSink* metrics) override { scope_.metrics = metrics; }
  const ComponentInfo* component() const override { return &config_.strategy.info; }

  /// What the strategy refuses of what the experiment binds, as a mistake of the experiment.
  [[noreturn]] void refuse_binding(const std::string& what) const;

  /// Once set up, its bindings are taps; groups are resolved.
  const TransferConfig& config() const { return config_; }
  bool needs_teacher() const { return (config_.strategy.info.needs & RETORT_NEED_NO_TEACHER) == 0; }
  MetricSink* metrics() const { return scope_.metrics; }
  void set_draws(Draws* draws) { scope_.draws = draws; }

 private:
  /// What the strategy is handed as its teacher's outputs: of several their mean.
  const Outputs& choose_teacher(const StepView& view);
  /// Calls the function with a retort_step made from the inputs.
  template <class Function>
  void with_step(const StepView& step, PluginFunction which, Function&& function);

  TransferConfig config_;
  ParameterSet parameters_;
  std::unique_ptr<Instance> instance_;
  const retort_strategy_interface* functions_ = nullptr;
  Scope scope_;
  bool is_set_up_ = false;
  Outputs mean_;         // of this step, where there are several teachers
  at::Tensor returned_;  // the loss of this step, until after_backward is over: the loop's own
};

}  // namespace retort::host
