#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>

#include <limits>

#include "tests/sdk/conformance.hpp"
#include "tests/sdk/strategy_pair.hpp"

namespace retort::test {
namespace {

bool finite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

/// One step of training of the strategy's own modules; returns the loss.
at::Tensor train_step(host::Transfer& transfer, const host::StepView& inputs) {
  const at::Tensor loss = transfer.loss(inputs);
  loss.backward();
  const at::NoGradGuard no_grad;
  for (const host::Parameter& parameter : transfer.parameters()->all()) {
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
  int64_t usual_batch() const { return batch_for(GetParam()); }

  StrategyPair pair_{GetParam()};
};

TEST_P(StrategyComponent, GivesTheStudentAFiniteGradient) {
  for (const int64_t n : batches()) {
    SCOPED_TRACE(std::to_string(n) + " samples");
    const auto transfer = pair_.transfer(n);
    const host::StepView inputs = pair_.inputs(n, 0);
    const at::Tensor loss = transfer->loss(inputs);
    EXPECT_TRUE(finite(loss));
    loss.backward();
    double largest = 0;
    for (const at::Tensor& tensor : tensors_of(inputs.of("student"))) {
      if (!tensor.grad().defined()) continue;  // the strategy does not read it
      EXPECT_TRUE(finite(tensor.grad()));
      largest = std::max(largest, tensor.grad().abs().max().item<double>());
    }
    EXPECT_GT(largest, 0) << "the student learns nothing from it";
    for (const host::Parameter& parameter : transfer->parameters()->all()) {
      if (!parameter.trained) continue;
      ASSERT_TRUE(parameter.master.grad().defined()) << parameter.name;
      EXPECT_TRUE(finite(parameter.master.grad())) << parameter.name;
    }
  }
}

/// The tensors of one network that the strategy declares to read.
std::vector<at::Tensor*> read_tensors(const host::ComponentInfo& strategy, host::Outputs& outputs) {
  std::vector<at::Tensor*> read;
  if ((strategy.needs & RETORT_NEED_LOGITS) != 0) read.push_back(&outputs.logits);
  for (at::Tensor& feature : outputs.features) read.push_back(&feature);
  return read;
}

bool is_logits(const host::StepView& inputs, const at::Tensor* tensor) {
  return tensor == &inputs.of("student").logits || tensor == &inputs.of("teacher").logits;
}

// A logit of minus infinity is no fault: it excludes a class.
TEST_P(StrategyComponent, HidesNoNumberThatIsNotFinite) {
  const int64_t n = usual_batch();
  const auto transfer = pair_.transfer(n);
  host::StepView inputs = pair_.inputs(n, 0);
  std::vector<at::Tensor*> read = read_tensors(GetParam(), inputs.put_outputs("student"));
  if ((GetParam().needs & RETORT_NEED_NO_TEACHER) == 0)
    for (at::Tensor* tensor : read_tensors(GetParam(), inputs.put_outputs("teacher")))
      read.push_back(tensor);
  ASSERT_FALSE(read.empty());
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < read.size(); ++i) {
    const at::Tensor whole = *read[i];
    const auto expect_not_finite = [&](double number, double place) {
      *read[i] = whole.detach().clone();
      const auto at = static_cast<int64_t>(place * static_cast<double>(whole.numel() - 1));
      read[i]->view({-1})[at].fill_(number);
      EXPECT_FALSE(finite(transfer->loss(inputs))) << number << " in tensor " << i << " at " << at;
    };
    for (const double place : {0., .3, .5, .7, 1.})
      expect_not_finite(std::numeric_limits<double>::quiet_NaN(), place);
    expect_not_finite(kInfinity, .5);
    if (!is_logits(inputs, read[i])) expect_not_finite(-kInfinity, .5);
    *read[i] = whole;
  }
}

// Dead networks, equal samples, constant maps: what a norm, a variance or a mean is divided by is 0.
TEST_P(StrategyComponent, StaysFiniteOnInputsWithoutVariation) {
  const int64_t n = usual_batch();
  const auto transfer = pair_.transfer(n);
  using Change = at::Tensor (*)(const at::Tensor&);
  const Change changes[] = {
      [](const at::Tensor& x) { return x; }, [](const at::Tensor& x) { return at::zeros_like(x); },
      [](const at::Tensor& x) { return at::ones_like(x); },
      [](const at::Tensor& x) { return x.slice(0, 0, 1).expand_as(x).clone(); }};
  const host::StepView usual = pair_.inputs(n, 0);
  for (const Change student : changes) {
    for (const Change teacher : changes) {
      host::StepView inputs = usual;
      for (at::Tensor* tensor : read_tensors(GetParam(), inputs.put_outputs("student")))
        *tensor = student(tensor->detach()).set_requires_grad(true);
      for (at::Tensor* tensor : read_tensors(GetParam(), inputs.put_outputs("teacher")))
        *tensor = teacher(*tensor);
      const at::Tensor loss = transfer->loss(inputs);
      EXPECT_TRUE(finite(loss));
      loss.backward();
      for (const at::Tensor* tensor : read_tensors(GetParam(), inputs.put_outputs("student"))) {
        if (tensor->grad().defined()) {
          EXPECT_TRUE(finite(tensor->grad()));
        }
      }
    }
  }
}

TEST_P(StrategyComponent, ChangesNoInputAndNoTeacher) {
  const int64_t n = usual_batch();
  const auto transfer = pair_.transfer(n);
  const host::StepView inputs = pair_.inputs(n, 0);
  std::vector<at::Tensor> given = tensors_of(inputs.of("student"));
  for (const at::Tensor& tensor : tensors_of(inputs.of("teacher"))) given.push_back(tensor);
  given.insert(given.end(), {inputs.batch.at(host::kLabelField), inputs.batch.at(host::kIndexField),
                             inputs.progress});
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
  for (const at::Tensor& tensor : tensors_of(inputs.of("teacher")))
    EXPECT_FALSE(tensor.requires_grad());
}

TEST_P(StrategyComponent, HoldsNoMoreMemoryAfter200Steps) {
  const int64_t n = usual_batch();
  const auto transfer = pair_.transfer(n);
  const host::StepView inputs = pair_.inputs(n, 0);
  const auto run = [&](int steps) {
    for (int i = 0; i < steps; ++i) {
      train_step(*transfer, inputs);
      for (at::Tensor& tensor : tensors_of(inputs.of("student"))) tensor.mutable_grad().reset();
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
  const auto& saved = first->parameters()->all();
  ASSERT_EQ(restored->parameters()->all().size(), saved.size());
  for (size_t i = 0; i < saved.size(); ++i) {
    const at::NoGradGuard no_grad;
    restored->parameters()->all()[i].master.copy_(saved[i].master);
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
