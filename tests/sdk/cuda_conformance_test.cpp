// Every built strategy and model on a GPU: the CPU's numbers, and the same bits where
// run.deterministic promises them. Skipped where there is no GPU.
#include <ATen/ops/equal.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <set>

#include "tests/framework/data/images.hpp"
#include "tests/framework/train/gpu.hpp"
#include "tests/framework/train/train_rig.hpp"
#include "tests/sdk/conformance.hpp"
#include "tests/sdk/strategy_pair.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

/// What docs/what_a_run_guarantees.md lists: their steps need an operator that has no deterministic
/// algorithm on a GPU.
const std::set<std::string> kNotExact = {"feature.afd", "feature.review_kd"};

/// The signs of singular vectors are the decomposition's choice, LAPACK's and cuSOLVER's differ, and
/// the method's kernel between two layers depends on them: another loss, as right as the first.
const std::set<std::string> kSignsAreFree = {"feature.kdsvd"};

double size_of(const at::Tensor& tensor) {
  return at::linalg_vector_norm(tensor).item().toDouble();
}

/// The loss, then the gradient of each of the student's tensors that has one, on the CPU.
std::vector<at::Tensor> pass(StrategyPair& pair, int64_t n, at::Device device) {
  const auto transfer = pair.transfer(n, device);
  const host::StepView inputs = pair.inputs(n, 0, device);
  const at::Tensor loss = transfer->loss(inputs);
  loss.backward();
  std::vector<at::Tensor> found = {loss.detach().cpu()};
  for (const at::Tensor& tensor : tensors_of(inputs.of("student"))) {
    if (tensor.grad().defined()) found.push_back(tensor.grad().cpu());
  }
  return found;
}

class StrategyOnCuda : public testing::TestWithParam<host::ComponentInfo> {};

TEST_P(StrategyOnCuda, GivesTheCpusLossAndGradients) {
  RETORT_NEEDS_GPU(device);
  if (kSignsAreFree.contains(GetParam().id)) GTEST_SKIP() << "singular vectors have free signs";
  StrategyPair pair(GetParam());
  const int64_t n = batch_for(GetParam());
  const auto wanted = pass(pair, n, at::kCPU), found = pass(pair, n, device);
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_LE(size_of(found[i] - wanted[i]),
              std::max(kDeviceTolerance * size_of(wanted[i]), kFloat32Noise))
        << "tensor " << i;
  }
}

TEST_P(StrategyOnCuda, GivesTheSameBitsTwiceOrRefusesTo) {
  RETORT_NEEDS_GPU(device);
  host::choose_algorithms(device, /*deterministic=*/true);
  StrategyPair pair(GetParam());
  const int64_t n = batch_for(GetParam());
  bool exact = true;
  try {
    const auto first = pass(pair, n, device), second = pass(pair, n, device);
    for (size_t i = 0; i < first.size(); ++i) {
      EXPECT_TRUE(at::equal(first[i], second[i])) << "tensor " << i;
    }
  } catch (const std::exception& failure) {
    exact = false;
    EXPECT_NE(host::operator_without_deterministic_algorithm(failure), "") << failure.what();
    RecordProperty("refused", host::operator_without_deterministic_algorithm(failure));
  }
  EXPECT_EQ(exact, !kNotExact.contains(GetParam().id));
}

INSTANTIATE_TEST_SUITE_P(Built, StrategyOnCuda, testing::ValuesIn(built(RETORT_KIND_STRATEGY)),
                         name_of);

class ModelOnCuda : public testing::TestWithParam<host::ComponentInfo> {
 protected:
  /// The logits of a forward pass in training and the gradient of each parameter, on the CPU.
  std::vector<at::Tensor> pass_of(at::Device device) const {
    const host::ImageData data = random_images(8, 3, 64, 64);
    host::Placement placement;
    placement.device = device;
    placement.channels_last = true;
    const auto network = make_network("student", data, placement, GetParam().id);
    const at::Tensor x = (at::arange(8 * 3 * 64 * 64, at::kFloat)).sin().reshape({8, 3, 64, 64});
    network->set_pass(0, "");
    const host::Outputs outputs = network->forward(x.to(device), {}, host::PassMode::Train);
    outputs.logits.square().mean().backward();
    std::vector<at::Tensor> found = {outputs.logits.detach().cpu()};
    for (const host::Parameter& parameter : network->parameters().all()) {
      if (parameter.master.grad().defined()) found.push_back(parameter.master.grad().cpu());
    }
    return found;
  }
};

TEST_P(ModelOnCuda, GivesTheCpusLogits) {
  RETORT_NEEDS_GPU(device);
  const auto wanted = pass_of(at::kCPU), found = pass_of(device);
  ASSERT_EQ(found.size(), wanted.size());
  EXPECT_LE(size_of(found[0] - wanted[0]), kDeviceTolerance * size_of(wanted[0]));
}

TEST_P(ModelOnCuda, GivesTheSameBitsTwice) {
  RETORT_NEEDS_GPU(device);
  host::choose_algorithms(device, /*deterministic=*/true);
  const auto first = pass_of(device), second = pass_of(device);
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_TRUE(at::equal(first[i], second[i])) << "tensor " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Built, ModelOnCuda, testing::ValuesIn(built(RETORT_KIND_MODEL)), name_of);

}  // namespace
}  // namespace retort::test
