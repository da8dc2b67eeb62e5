#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/train/network.hpp"
#include "framework/train/transfer.hpp"
#include "tests/plugins/components.hpp"

namespace retort::test {

/// Every tensor of a network's outputs.
inline std::vector<at::Tensor> tensors_of(const host::Outputs& outputs) {
  std::vector<at::Tensor> all = outputs.features;
  all.push_back(outputs.logits);
  return all;
}

/// A strategy between a resnet of depth 8 and a wider one of depth 14, bound as it says itself. The
/// teacher is only as wide as the student where the strategy refuses other channels.
class StrategyPair {
 public:
  explicit StrategyPair(const host::ComponentInfo& strategy)
      : student_(network("student", {{"depth", int64_t{8}}})), teacher_(teacher_of_width(2)) {
    config_.name = strategy.id;
    config_.strategy = choose(RETORT_KIND_STRATEGY, strategy.id);
    config_.bind_student = strategy.bind_student;
    config_.bind_teacher = strategy.bind_teacher;
    try {
      transfer(std::max<int64_t>(strategy.batch_min, strategy.batch_multiple_of));
    } catch (const host::ConfigError&) {
      teacher_ = teacher_of_width(1);
    }
  }

  std::unique_ptr<host::Transfer> transfer(int64_t n, at::Device device = at::kCPU) {
    auto made = std::make_unique<host::Transfer>(config_, device, 1);
    host::RunShape run;
    run.class_count = kClasses;
    run.train_count = run.batch_size = n;
    run.epoch_count = run.step_count = kSteps;
    labels_ = at::arange(n, at::kLong).remainder(kClasses);
    run.labels = labels_.data_ptr<int64_t>();
    host::LiveNetwork student(*student_), teacher(*teacher_);
    made->setup(run, student, &teacher);
    config_.bind_student = made->config().bind_student;  // groups are taps now
    config_.bind_teacher = made->config().bind_teacher;
    return made;
  }

  /// Another batch at each step, the same on every device: the networks run on the CPU. The
  /// student's tensors are leaves that take a gradient.
  host::StepView inputs(int64_t n, int64_t step, at::Device device = at::kCPU) {
    const at::NoGradGuard no_grad;
    const at::Tensor x =
        (at::arange(n * 3 * kSize * kSize, at::kFloat) + step).sin().reshape({n, 3, kSize, kSize});
    host::StepView inputs;
    host::Outputs student = student_->forward(x, config_.bind_student, host::PassMode::Evaluate);
    host::Outputs teacher = teacher_->forward(x, config_.bind_teacher, host::PassMode::Evaluate);
    for (host::Outputs* outputs : {&student, &teacher}) {
      outputs->logits = outputs->logits.to(device);
      for (at::Tensor& feature : outputs->features) feature = feature.to(device);
    }
    student.logits.set_requires_grad(true);
    for (at::Tensor& feature : student.features) feature.set_requires_grad(true);
    inputs.put_outputs("student") = std::move(student);
    inputs.put_outputs("teacher") = std::move(teacher);
    inputs.batch.put(host::kLabelField, at::arange(n, at::kLong).remainder(kClasses).to(device));
    inputs.batch.put(host::kIndexField, at::arange(n, at::kLong).to(device));
    inputs.progress = (at::zeros({}, at::kFloat) + static_cast<double>(step) / kSteps).to(device);
    inputs.epoch = inputs.step = step;
    return inputs;
  }

 private:
  static constexpr int64_t kClasses = 10, kSize = 16, kSteps = 1000;

  static std::unique_ptr<host::Network> network(const std::string& role, const Options& options) {
    host::NetworkConfig config;
    config.model = choose(RETORT_KIND_MODEL, "resnet", options);
    return host::build_network(role, config, host::InputShape{3, kSize, kSize, kClasses},
                               host::Placement{}, 1);
  }

  static std::unique_ptr<host::Network> teacher_of_width(double width) {
    return network("teacher", {{"depth", int64_t{14}}, {"width", width}});
  }

  std::unique_ptr<host::Network> student_, teacher_;
  host::TransferConfig config_;
  at::Tensor labels_;
};

/// A batch that the strategy takes: at least four samples.
inline int64_t batch_for(const host::ComponentInfo& strategy) {
  const int64_t step = strategy.batch_multiple_of;
  return (std::max<int64_t>(strategy.batch_min, 4) + step - 1) / step * step;
}

}  // namespace retort::test
