#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>

#include "framework/error.hpp"
#include "framework/train/network.hpp"
#include "framework/train/transfer.hpp"
#include "tests/sdk/conformance.hpp"

namespace retort::test {
namespace {

constexpr int64_t kClasses = 10, kSize = 16, kSteps = 1000;

bool finite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

/// Every tensor of a network's outputs.
std::vector<at::Tensor> tensors_of(const host::Outputs& outputs) {
  std::vector<at::Tensor> all = outputs.features;
  all.push_back(outputs.logits);
  return all;
}

/// A strategy between a resnet of depth 8 and a wider one of depth 14, bound as it says itself. The
/// teacher is only as wide as the student where the strategy refuses other channels.
class Pair {
 public:
  explicit Pair(const host::ComponentInfo& strategy)
      : student_(network("student", {{"depth", int64_t{8}}})), teacher_(teacher_of_width(2)) {
    config_.name = strategy.id;
    config_.strategy = choose(RETORT_KIND_STRATEGY, strategy.id);
    config_.bind_student = strategy.bind_student;
    config_.bind_teacher = strategy.bind_teacher;
    try {
      transfer(std::max<int64_t>(strategy.batch_min, strategy.batch_multiple_of));
    } catch (const host::ShapeError&) {
      teacher_ = teacher_of_width(1);
    }
  }

  std::unique_ptr<host::Transfer> transfer(int64_t n) {
    auto made = std::make_unique<host::Transfer>(config_, at::kCPU, 1);
    host::RunShape run;
    run.class_count = kClasses;
    run.train_count = run.batch_size = n;
    run.epoch_count = run.step_count = kSteps;
    labels_ = at::arange(n, at::kLong).remainder(kClasses);
    run.labels = labels_.data_ptr<int64_t>();
    made->setup(run, *student_, teacher_.get(), "transfer[0]");
    config_.bind_student = made->config().bind_student;  // groups are taps now
    config_.bind_teacher = made->config().bind_teacher;
    return made;
  }

  /// Another batch at each step; the student's tensors are leaves that take a gradient.
  host::StepInputs inputs(int64_t n, int64_t step) {
    const at::NoGradGuard no_grad;
    const at::Tensor x =
        (at::arange(n * 3 * kSize * kSize, at::kFloat) + step).sin().reshape({n, 3, kSize, kSize});
    host::StepInputs inputs;
    inputs.student = student_->forward(x, config_.bind_student, false);
    inputs.teacher = teacher_->forward(x, config_.bind_teacher, false);
    inputs.student.logits.set_requires_grad(true);
    for (at::Tensor& feature : inputs.student.features) feature.set_requires_grad(true);
    inputs.labels = at::arange(n, at::kLong).remainder(kClasses);
    inputs.indices = at::arange(n, at::kLong);
    inputs.progress = at::zeros({}, at::kFloat) + static_cast<double>(step) / kSteps;
    inputs.epoch = inputs.step = step;
    return inputs;
  }

 private:
  static std::unique_ptr<host::Network> network(const std::string& role, const Options& options) {
    host::NetworkConfig config;
    config.model = choose(RETORT_KIND_MODEL, "resnet", options);
    return std::make_unique<host::Network>(
        role, config, host::InputShape{3, kSize, kSize, kClasses}, host::Placement{}, 1);
  }

  static std::unique_ptr<host::Network> teacher_of_width(double width) {
    return network("teacher", {{"depth", int64_t{14}}, {"width", width}});
  }

  std::unique_ptr<host::Network> student_, teacher_;
  host::TransferConfig config_;
  at::Tensor labels_;
};

/// One step of training of the strategy's own modules; returns the loss.
at::Tensor train_step(host::Transfer& transfer, const host::StepInputs& inputs) {
  const at::Tensor loss = transfer.loss(inputs);
  loss.backward();
  const at::NoGradGuard no_grad;
  for (const host::Parameter& parameter : transfer.parameters().all()) {
    if (!parameter.trained || !parameter.master.grad().defined()) continue;
    parameter.master.sub_(parameter.master.grad(), 0.01);
    at::Tensor(parameter.master).mutable_grad().reset();
  }
  transfer.after_backward(inputs);
  return loss.detach();
}

class StrategyComponent : public testing::TestWithParam<host::ComponentInfo> {
 protected:
  /// Those of 1, 2 and 7 that the strategy says it takes; never none.
  std::vector<int64_t> batches() const {
    std::vector<int64_t> taken;
    for (const int64_t n : {1, 2, 7})
      if (n >= GetParam().batch_min && n % GetParam().batch_multiple_of == 0) taken.push_back(n);
    if (taken.empty()) taken.push_back(usual_batch());
    return taken;
  }
  int64_t usual_batch() const {
    const int64_t step = GetParam().batch_multiple_of;
    return (std::max<int64_t>(GetParam().batch_min, 4) + step - 1) / step * step;
  }

  Pair pair_{GetParam()};
};

TEST_P(StrategyComponent, GivesTheStudentAFiniteGradient) {
  for (const int64_t n : batches()) {
    SCOPED_TRACE(std::to_string(n) + " samples");
    const auto transfer = pair_.transfer(n);
    const host::StepInputs inputs = pair_.inputs(n, 0);
    const at::Tensor loss = transfer->loss(inputs);
    EXPECT_TRUE(finite(loss));
    loss.backward();
    double largest = 0;
    for (const at::Tensor& tensor : tensors_of(inputs.student)) {
      if (!tensor.grad().defined()) continue;  // the strategy does not read it
      EXPECT_TRUE(finite(tensor.grad()));
      largest = std::max(largest, tensor.grad().abs().max().item<double>());
    }
    EXPECT_GT(largest, 0) << "the student learns nothing from it";
    for (const host::Parameter& parameter : transfer->parameters().all()) {
      if (!parameter.trained) continue;
      ASSERT_TRUE(parameter.master.grad().defined()) << parameter.name;
      EXPECT_TRUE(finite(parameter.master.grad())) << parameter.name;
    }
  }
}

TEST_P(StrategyComponent, ChangesNoInputAndNoTeacher) {
  const int64_t n = usual_batch();
  const auto transfer = pair_.transfer(n);
  const host::StepInputs inputs = pair_.inputs(n, 0);
  std::vector<at::Tensor> given = tensors_of(inputs.student);
  for (const at::Tensor& tensor : tensors_of(inputs.teacher)) given.push_back(tensor);
  given.insert(given.end(), {inputs.labels, inputs.indices, inputs.progress});
  std::vector<at::Tensor> before;
  std::vector<int64_t> versions;  // a write that changes no number counts too
  for (const at::Tensor& tensor : given) {
    before.push_back(tensor.detach().clone());
    versions.push_back(tensor._version());
  }
  train_step(*transfer, inputs);
  for (size_t i = 0; i < given.size(); ++i) {
    EXPECT_TRUE(at::equal(given[i], before[i])) << "tensor " << i;
    EXPECT_EQ(given[i]._version(), versions[i]) << "tensor " << i << " was written to";
  }
  for (const at::Tensor& tensor : tensors_of(inputs.teacher)) EXPECT_FALSE(tensor.requires_grad());
}

TEST_P(StrategyComponent, HoldsNoMoreMemoryAfter200Steps) {
  const int64_t n = usual_batch();
  const auto transfer = pair_.transfer(n);
  const host::StepInputs inputs = pair_.inputs(n, 0);
  const auto run = [&](int steps) {
    for (int i = 0; i < steps; ++i) {
      train_step(*transfer, inputs);
      for (at::Tensor& tensor : tensors_of(inputs.student)) tensor.mutable_grad().reset();
    }
  };
  run(20);
  const int64_t before = bytes_in_use();
  run(200);
  EXPECT_LT(bytes_in_use() - before, 200 * 64) << "bytes over 200 steps";
}

// All that a strategy knows of earlier steps is in its parameters and buffers.
TEST_P(StrategyComponent, GoesOnExactlyFromItsSavedState) {
  const int64_t n = usual_batch();
  const auto first = pair_.transfer(n);
  for (int64_t step = 0; step < 3; ++step) train_step(*first, pair_.inputs(n, step));
  const auto restored = pair_.transfer(n);
  const auto& saved = first->parameters().all();
  ASSERT_EQ(restored->parameters().all().size(), saved.size());
  for (size_t i = 0; i < saved.size(); ++i) {
    const at::NoGradGuard no_grad;
    restored->parameters().all()[i].master.copy_(saved[i].master);
  }
  for (int64_t step = 3; step < 6; ++step) {
    const at::Tensor wanted = train_step(*first, pair_.inputs(n, step));
    EXPECT_TRUE(at::equal(train_step(*restored, pair_.inputs(n, step)), wanted)) << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Built, StrategyComponent, testing::ValuesIn(built(RETORT_KIND_STRATEGY)),
                         name_of);

}  // namespace
}  // namespace retort::test
