#include "tests/plugins/models/model_rig.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/isfinite.h>

namespace retort::test {

at::Tensor images(int64_t count) {
  return at::arange(count * 3 * 32 * 32, at::kFloat).sin().reshape({count, 3, 32, 32});
}

void expect_gradient_everywhere(host::Network& network) {
  const host::InputShape& input = network.input();
  constexpr int64_t kBatch = 4;
  const int64_t elements = kBatch * input.channels * input.height * input.width;
  const at::Tensor images = at::arange(elements, at::kFloat)
                                .sin()
                                .reshape({kBatch, input.channels, input.height, input.width});
  const at::Tensor labels = at::arange(kBatch, at::kLong).remainder(input.class_count);
  at::cross_entropy_loss(network.forward(images, {}, host::PassMode::Train).logits, labels)
      .backward();
  for (const host::Parameter& parameter : network.parameters().all()) {
    if (!parameter.trained) continue;
    const at::Tensor& gradient = parameter.master.grad();
    ASSERT_TRUE(gradient.defined()) << parameter.name;
    EXPECT_TRUE(at::isfinite(gradient).all().item<bool>()) << parameter.name;
    EXPECT_GT(gradient.abs().max().item<float>(), 0) << parameter.name;
  }
}

std::string taps_text(host::Network& network) {
  std::string text;
  for (const auto& [name, shape] : network.profile().taps) {
    text += name + " [";
    for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    text += "]\n";
  }
  return text;
}

}  // namespace retort::test
