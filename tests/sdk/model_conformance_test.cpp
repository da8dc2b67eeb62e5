#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>

#include "framework/base/error.hpp"
#include "framework/train/network.hpp"
#include "tests/sdk/conformance.hpp"

namespace retort::test {
namespace {

constexpr int64_t kClasses = 10;

bool finite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

/// Images whose every pixel differs: [n, channels, size, size].
at::Tensor images(int64_t n, int64_t channels, int64_t size) {
  return at::arange(n * channels * size * size, at::kFloat)
      .sin()
      .reshape({n, channels, size, size});
}

class ModelComponent : public testing::TestWithParam<host::ComponentInfo> {
 protected:
  std::unique_ptr<host::Network> build(int64_t channels, int64_t size) const {
    host::NetworkConfig config;
    config.model = choose(RETORT_KIND_MODEL, GetParam().id);
    return host::build_network("student", config, host::InputShape{channels, size, size, kClasses},
                               host::Placement{}, 1);
  }
};

std::vector<std::string> tap_names(host::Network& network) {
  std::vector<std::string> names;
  for (const auto& [name, shape] : network.profile().taps) names.push_back(name);
  return names;
}

/// One forward pass, checked; nothing where the model refuses to train on a single sample, as batch
/// norm does when nothing is left to average over.
std::optional<host::Outputs> checked_forward(host::Network& network, const at::Tensor& x,
                                             host::PassMode mode) {
  const at::Tensor before = x.clone();
  const std::vector<std::string> taps = tap_names(network);
  host::Outputs outputs;
  try {
    outputs = network.forward(x, taps, mode);
  } catch (const host::ShapeError& error) {
    const bool is_batch_norm =
        std::string(error.what()).find("more than 1 value per channel") != std::string::npos;
    if (mode == host::PassMode::Train && x.size(0) == 1 && is_batch_norm) return std::nullopt;
    throw;
  }
  EXPECT_EQ(outputs.logits.sizes(), at::IntArrayRef({x.size(0), kClasses}));
  EXPECT_TRUE(finite(outputs.logits));
  EXPECT_EQ(outputs.features.size(), taps.size());
  for (size_t i = 0; i < taps.size(); ++i)
    EXPECT_EQ(outputs.features[i].size(0), x.size(0)) << taps[i];
  EXPECT_TRUE(at::equal(x, before)) << "the model wrote to its input";
  return outputs;
}

TEST_P(ModelComponent, GivesFiniteLogitsAndTapsOfTheBatch) {
  for (const auto& [channels, size] : {std::pair(1, 28), std::pair(3, 32)}) {
    const auto network = build(channels, size);
    for (const int64_t n : {1, 2, 7}) {
      SCOPED_TRACE(std::to_string(n) + " images of " + std::to_string(size) + " pixels");
      checked_forward(*network, images(n, channels, size), host::PassMode::Evaluate);
      checked_forward(*network, images(n, channels, size), host::PassMode::Train);
    }
  }
}

TEST_P(ModelComponent, GivesEveryParameterAFiniteGradient) {
  for (const int64_t n : {1, 2, 7}) {
    SCOPED_TRACE(std::to_string(n) + " images");
    const auto network = build(3, 32);
    const auto outputs = checked_forward(*network, images(n, 3, 32), host::PassMode::Train);
    if (!outputs) continue;
    at::cross_entropy_loss(outputs->logits, at::arange(n, at::kLong).remainder(kClasses))
        .backward();
    for (const host::Parameter& parameter : network->parameters().all()) {
      if (!parameter.trained) continue;
      ASSERT_TRUE(parameter.master.grad().defined()) << parameter.name;
      EXPECT_TRUE(finite(parameter.master.grad())) << parameter.name;
    }
  }
}

TEST_P(ModelComponent, LooksAtEachImageAloneInEvaluation) {
  const auto network = build(3, 32);
  const at::Tensor batch = images(7, 3, 32);
  const at::Tensor together = network->forward(batch, {}, host::PassMode::Evaluate).logits;
  const at::Tensor alone =
      network->forward(batch.slice(0, 4, 5), {}, host::PassMode::Evaluate).logits;
  EXPECT_TRUE(at::allclose(together.slice(0, 4, 5), alone, 1e-4, 1e-5));
}

TEST_P(ModelComponent, ChangesNothingOfItselfInEvaluation) {
  const auto network = build(3, 32);
  std::vector<at::Tensor> before;
  for (const host::Parameter& parameter : network->parameters().all())
    before.push_back(parameter.master.detach().clone());
  network->forward(images(7, 3, 32), {}, host::PassMode::Evaluate);
  for (size_t i = 0; i < before.size(); ++i) {
    const host::Parameter& parameter = network->parameters().all()[i];
    EXPECT_TRUE(at::equal(parameter.master, before[i])) << parameter.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Built, ModelComponent, testing::ValuesIn(built(RETORT_KIND_MODEL)),
                         name_of);

}  // namespace
}  // namespace retort::test
