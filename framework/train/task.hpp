#pragma once

#include <string>
#include <vector>

#include "framework/train/term.hpp"

namespace retort::host {

/// Cross-entropy of the learner's logits [N, C] and the labels, with label smoothing s: of the class
/// 1 - s + s / C, of each other one s / C.
///   task = share * cross_entropy(label) + (1 - share) * cross_entropy(label.mixed)
/// where samples are mixed, else cross_entropy(label); means over the batch.
class CrossEntropyTask final : public Term {
 public:
  CrossEntropyTask(std::string learner, double weight, double label_smoothing);

  const std::string& name() const override;
  double weight_at(double epoch) const override;
  std::vector<Wanted> wanted() const override { return {{learner_, {}}}; }
  at::Tensor loss(const StepView& step) override;

 private:
  std::string learner_;
  double weight_;
  double label_smoothing_;
};

}  // namespace retort::host
