// How many operators a distillation step runs: each costs microseconds, which a small network feels.
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include "framework/train/loop.hpp"
#include "tests/framework/train/train_rig.hpp"

namespace retort::test {
namespace {

int64_t g_operators = 0;

std::unique_ptr<at::ObserverContext> count_one(const at::RecordFunction&) {
  ++g_operators;
  return nullptr;
}

/// The operators of so many steps, on this thread.
int64_t count_operators(const host::Phase& phase, int64_t steps) {
  host::Loop loop(phase);
  g_operators = 0;
  const at::CallbackHandle handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(count_one).scopes(
          {at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  loop.run_steps(steps);
  at::removeCallback(handle);
  return g_operators;
}

/// Of one step: what is done once for all steps is taken off.
int64_t count_operators_of_a_step(const host::Phase& phase) {
  return count_operators(phase, 3) - count_operators(phase, 2);
}

/// Measured with LibTorch 2.13 before phases had several learners and views. A step may have fewer.
constexpr int64_t kOperatorsOfAStep = 707;

TEST(Operators, OfADistillationStepDoNotGrow) {
  if (!std::string(RETORT_TORCH_VERSION).starts_with("2.13."))
    GTEST_SKIP() << "another LibTorch makes other operators of one";
  TrainingRig rig({}, true);
  rig.add(make_transfer("logits.kd"));
  rig.add(make_transfer("feature.fitnet", {}, {"layer2"}));
  const int64_t operators = count_operators_of_a_step(rig.phase);
  EXPECT_GT(operators, 100);  // or they were not seen
  EXPECT_LE(operators, kOperatorsOfAStep);
}

}  // namespace
}  // namespace retort::test
