#include "framework/train/task.hpp"

#include <ATen/ops/cross_entropy_loss.h>

#include <utility>

namespace retort::host {

CrossEntropyTask::CrossEntropyTask(std::string learner, double weight, double label_smoothing,
                                   std::string name)
    : learner_(std::move(learner)),
      weight_(weight),
      label_smoothing_(label_smoothing),
      name_(std::move(name)) {}

double CrossEntropyTask::weight_at(double) const { return weight_; }

at::Tensor CrossEntropyTask::loss(const StepView& step) {
  const at::Tensor& logits = step.of(kStudentName).logits;
  const auto cross_entropy = [&](const at::Tensor& wanted) {
    return at::cross_entropy_loss(logits, wanted, {}, at::Reduction::Mean, -100, label_smoothing_);
  };
  const at::Tensor* mixed_labels = step.batch.find(kMixedLabelField);
  if (mixed_labels == nullptr) return cross_entropy(step.batch.at(kLabelField));
  // The order of the two is the order in which their gradients are added: part of the bits.
  const at::Tensor mixed = cross_entropy(*mixed_labels);
  const double share = step.batch.share;
  return cross_entropy(step.batch.at(kLabelField)).mul(share).add(mixed, 1 - share);
}

}  // namespace retort::host
