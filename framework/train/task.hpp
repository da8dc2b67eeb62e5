#pragma once

#include <string>
#include <vector>

#include "framework/train/term.hpp"

namespace retort::host {

/// Cross-entropy of the logits [N, C] of a learner's first view and the labels, with label smoothing
/// s: of the class 1 - s + s / C, of each other one s / C.
///   task = share * cross_entropy(label) + (1 - share) * cross_entropy(label.mixed)
/// where samples are mixed, else cross_entropy(label); means over the batch.
class CrossEntropyTask final : public Term {
 public:
  CrossEntropyTask(std::string learner, double weight, double label_smoothing,
                   std::string name = std::string(names::kTask));

  const std::string& name() const override { return name_; }
  double weight_at(double epoch) const override;
  std::vector<Wanted> wanted() const override { return {{kStudentName, learner_, "", {}}}; }
  const std::string& learner() const override { return learner_; }
  GradientGroup gradient_group() const override { return GradientGroup::Task; }
  at::Tensor loss(const StepView& step) override;

 private:
  std::string learner_;
  double weight_;
  double label_smoothing_;
  std::string name_;
};

}  // namespace retort::host
