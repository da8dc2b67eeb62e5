// What a loop does with steps that are not finite, and what it keeps from step to step.
#include <gmock/gmock.h>

#include <algorithm>

#include "framework/base/error.hpp"
#include "framework/train/loop.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/framework/train/train_rig.hpp"

namespace retort::test {
namespace {

using testing::HasSubstr;

/// Its first step spoils the weights.
struct ExplodingRig : TrainingRig {
  explicit ExplodingRig(host::NonFinite policy) {
    phase.train.optimizer.lr = 1e30;
    phase.train.epochs = 50;
    phase.train.non_finite = policy;
  }
};

TEST(Loop, SkipsStepsThatAreNotFiniteButNotForEver) {
  ExplodingRig rig(host::NonFinite::Skip);
  host::Loop loop(rig.phase);
  EXPECT_THAT(message_of<host::NonFiniteError>([&] { loop.run_steps(100); }),
              HasSubstr("10 steps before it were skipped"));
  EXPECT_EQ(loop.state().skipped, 10);
}

TEST(Loop, RollsBackWithHalfTheRateThreeTimes) {
  ExplodingRig rig(host::NonFinite::Rollback);
  host::Loop loop(rig.phase);
  EXPECT_THAT(message_of<host::NonFiniteError>([&] { loop.run(); }),
              HasSubstr("rolled back 3 times"));
  EXPECT_EQ(loop.state().lr_factor, 0.125);
}

TEST(Loop, StopsEarlyWithoutANewBest) {
  TrainingRig rig;
  rig.phase.train.optimizer.lr = 1e-30;  // the weights stay, and so does the accuracy
  rig.phase.train.optimizer.weight_decay = 0;
  rig.phase.train.epochs = 50;
  rig.phase.train.ema = 0;
  rig.phase.train.early_stop = 2;
  host::Loop loop(rig.phase);
  std::vector<double> seen;
  loop.on_epoch = [&](const host::EpochReport& report) {
    seen.push_back(report.learners.front().accuracy.top1());
  };
  EXPECT_TRUE(loop.run());
  const auto best = std::max_element(seen.begin(), seen.end()) - seen.begin();
  EXPECT_EQ(std::ssize(seen), best + 3);  // running statistics of batch norm may still move it
  EXPECT_TRUE(loop.state().stopped_early);
}

TEST(Loop, StepsOnceForAsManyBatchesAsItAccumulates) {
  TrainingRig rig;
  rig.phase.train.optimizer.momentum = 0;
  rig.phase.train.accumulate = 1000;  // more than an epoch has: one step at its end
  host::Loop loop(rig.phase);
  const auto weight = [&] {
    return rig.student->parameters().all().front().master.detach().clone();
  };
  const at::Tensor before = weight();
  loop.run_steps(1);
  EXPECT_TRUE(weight().equal(before));
  EXPECT_TRUE(rig.student->parameters().all().front().master.grad().defined());
}

TEST(WeightAverage, IsTheFormula) {
  TrainingRig rig;
  host::ParameterSet& set = rig.student->parameters();
  host::WeightAverage average(set, 0.5);
  const at::Tensor start = set.all().front().master.detach().clone();
  set.all().front().master.detach().add_(8);
  average.update(0);  // the decay of the first update is 1 / 10
  EXPECT_TRUE(average.tensors().front().second.allclose(start.add(7.2)));
  average.update(1000);
  EXPECT_TRUE(average.tensors().front().second.allclose(start.add(7.6)));
  average.swap();
  EXPECT_TRUE(set.all().front().master.detach().allclose(start.add(7.6)));
  average.swap();
  EXPECT_TRUE(set.all().front().master.detach().allclose(start.add(8)));
}

}  // namespace
}  // namespace retort::test
