// A temporary's memory is reused for the result where nobody else needs it, and only there.
#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>

#include "tests/framework/bridge/door_rig.hpp"
#include "tests/framework/bridge/parameter_spec.hpp"

namespace retort::test {
namespace {

const void* memory_of(const Tensor& tensor) { return to_host(tensor).const_data_ptr(); }

TEST(LastUse, PutsTheResultInTheTemporarysMemory) {
  const InPlugin plugin;
  Tensor sum = to_plugin(at::randn({4, 3})) + 1.0;
  const void* memory = memory_of(sum);
  EXPECT_EQ(memory_of(relu(std::move(sum))), memory);
}

TEST(LastUse, LeavesATensorAloneThatAnotherHandleHolds) {
  const InPlugin plugin;
  Tensor sum = to_plugin(at::randn({4, 3})) + 1.0;
  const Tensor kept = sum;
  const at::Tensor before = to_host(kept).clone();
  const Tensor result = relu(std::move(sum));
  EXPECT_NE(memory_of(result), memory_of(kept));
  EXPECT_TRUE(to_host(kept).equal(before));
}

TEST(LastUse, LeavesATensorAloneWhoseMemoryAViewShares) {
  const InPlugin plugin;
  Tensor sum = to_plugin(at::randn({4, 3})) + 1.0;
  const Tensor row = select(sum, 0, 0);
  const at::Tensor before = to_host(row).clone();
  relu(std::move(sum));
  EXPECT_TRUE(to_host(row).equal(before));
}

/// relu of a value that the caller says it gives up, as a plugin in C may call it. The result.
at::Tensor relu_of_given_up(retort_value value) {
  const retort_host& door = host::host_table();
  retort_op op = nullptr;
  EXPECT_EQ(door.find_op("aten::relu", "", &op, nullptr), RETORT_OK);
  value.flags = RETORT_VALUE_LAST_USE;
  retort_value result{};
  int64_t count = 0;
  EXPECT_EQ(door.call(op, &value, 1, &result, 1, &count, nullptr), RETORT_OK);
  return to_host(Tensor::adopt(result.as.tensor));
}

TEST(LastUse, LeavesAParameterAloneAndABufferAndAFrozenWeight) {
  for (const bool trained : {false, true}) {
    InPlugin plugin;
    host::ParameterSet set(1, "student", at::kCPU);
    set.declare(Spec("w", {3}, RETORT_INIT_CONSTANT, -1), trained);
    set.freeze();
    plugin.scope.parameters = &set;
    EXPECT_EQ(relu_of_given_up(Tensor::parameter(0).value()).sum().item<float>(), 0);
    EXPECT_EQ(set.all()[0].master.sum().item<float>(), -3);
  }
}

TEST(LastUse, LeavesWhatTheHostLentAlone) {
  InPlugin plugin;
  at::Tensor labels = -at::ones({3}, at::kLong);
  plugin.scope.lent.add(labels);
  EXPECT_EQ(relu_of_given_up(host::borrowed_value(labels)).sum().item<int64_t>(), 0);
  EXPECT_EQ(labels.sum().item<int64_t>(), -3);
}

TEST(LastUse, DoesNotSpreadASmallerTensor) {
  const InPlugin plugin;
  const Tensor row = to_plugin(at::randn({1, 3}));
  const Tensor all = to_plugin(at::randn({4, 3}));
  EXPECT_EQ((row * 2.0 + all).shape(), (Shape{4, 3}));
}

TEST(LastUse, GivesTheGradientsOfThePlainOperators) {
  const InPlugin plugin;
  const at::Tensor x = at::randn({4, 3}).set_requires_grad(true);
  const at::Tensor y = at::randn({4, 3}).set_requires_grad(true);
  // The softmax's result is needed by its own backward pass and must survive the sum and the relu.
  to_host(sum(relu(softmax(to_plugin(x), 1) + to_plugin(y)))).backward();
  const at::Tensor ours = x.grad().clone();
  x.mutable_grad().reset();
  at::relu(at::softmax(x, 1) + y.detach()).sum().backward();
  EXPECT_TRUE(ours.equal(x.grad()));
}

}  // namespace
}  // namespace retort::test
