#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "framework/bridge/parameter_set.hpp"
#include "framework/bridge/scope.hpp"
#include "framework/plugin/manifest.hpp"
#include "framework/train/gradient_group.hpp"
#include "framework/train/step_view.hpp"

namespace retort::host {

/// What a term wants of one participant.
struct Wanted {
  std::string as;  // what the term calls it: the name of its outputs in the StepView
  std::string participant;
  std::string view;  // of the participant's views; "": the first
  std::vector<std::string> taps;
};

/// One summand of the loss: the task's, or a transfer's.
class Term {
 public:
  virtual ~Term() = default;

  /// "task", or the transfer's name.
  virtual const std::string& name() const = 0;
  /// The weight at a point in training, in epochs from its start. A term of weight 0 is left out.
  virtual double weight_at(double epoch) const = 0;
  /// What loss() is to be handed; of other participants nothing. Taps are resolved.
  virtual std::vector<Wanted> wanted() const = 0;
  /// The participant that learns from it, in whose group of gradients its own parameters are. The
  /// outputs of all others are handed to it without gradients.
  virtual const std::string& learner() const = 0;
  /// What its gradient is to an optimizer that makes a difference.
  virtual GradientGroup gradient_group() const = 0;

  /// The unweighted loss, a [] tensor. Throws: what a strategy throws; PluginError where its loss is
  /// not one real number.
  virtual at::Tensor loss(const StepView& step) = 0;
  /// After the backward pass of a step that counts, with what loss() was handed.
  virtual void after_backward(const StepView& step) { static_cast<void>(step); }

  /// Parameters and buffers of its own, or null.
  virtual ParameterSet* parameters() { return nullptr; }
  /// Where the numbers go that it logs.
  virtual void set_metrics(MetricSink* metrics) { static_cast<void>(metrics); }
  /// The strategy, which messages name; null for the task.
  virtual const ComponentInfo* component() const { return nullptr; }
};

}  // namespace retort::host
