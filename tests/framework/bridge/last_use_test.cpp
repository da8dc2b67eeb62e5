// A temporary's memory is reused for the result where nobody else needs it, and only there.
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>

#include "tests/framework/bridge/door_rig.hpp"

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
