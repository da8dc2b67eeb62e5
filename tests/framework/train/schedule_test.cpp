#include "framework/train/schedule.hpp"

#include <gtest/gtest.h>

#include "tests/framework/train/train_rig.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using Kind = host::ScheduleConfig::Kind;

constexpr int64_t kStepsPerEpoch = 10;

host::TrainConfig schedule(Kind kind, int64_t epochs = 4) {
  host::TrainConfig train;
  train.epochs = epochs;
  train.optimizer.lr = 0.4;
  train.schedule.kind = kind;
  return train;
}

void expect_rate(const host::TrainConfig& train, int64_t step, double wanted) {
  EXPECT_NEAR(host::learning_rate(train, step, kStepsPerEpoch), wanted, kRateTolerance) << step;
}

TEST(Schedule, ConstantStays) {
  expect_rate(schedule(Kind::Constant), 0, 0.4);
  expect_rate(schedule(Kind::Constant), 39, 0.4);
}

TEST(Schedule, StepDropsEverySoManyEpochs) {
  host::TrainConfig train = schedule(Kind::Step);
  train.schedule.step_epochs = 2;
  train.schedule.gamma = 0.5;
  expect_rate(train, 19, 0.4);
  expect_rate(train, 20, 0.2);
  expect_rate(train, 40, 0.1);
}

TEST(Schedule, MultistepDropsAtItsMilestones) {
  host::TrainConfig train = schedule(Kind::Multistep);
  train.schedule.milestones = {1, 3};
  expect_rate(train, 9, 0.4);
  expect_rate(train, 10, 0.04);
  expect_rate(train, 29, 0.04);
  expect_rate(train, 30, 0.004);
}

TEST(Schedule, CosineFallsToItsEnd) {
  host::TrainConfig train = schedule(Kind::Cosine);
  train.schedule.min_lr = 0.1;
  expect_rate(train, 0, 0.4);
  expect_rate(train, 20, 0.25);
  expect_rate(train, 40, 0.1);
}

TEST(Schedule, WarmUpRisesLinearlyToTheFullRate) {
  host::TrainConfig train = schedule(Kind::Constant);
  train.schedule.warmup_epochs = 0.9;  // 9 steps: tenths of the rate
  expect_rate(train, 0, 0.04);
  expect_rate(train, 4, 0.2);
  expect_rate(train, 8, 0.36);
  expect_rate(train, 9, 0.4);
}

TEST(Schedule, CosineBeginsWhereTheWarmUpEnds) {
  host::TrainConfig train = schedule(Kind::Cosine);
  train.schedule.warmup_epochs = 2;
  expect_rate(train, 20, 0.4);
  expect_rate(train, 30, 0.2);
}

TEST(TransferWeight, IsANumberThroughout) {
  const auto transfer = make_transfer("logits.kd", {0.9, 0.9, 0, 0});
  EXPECT_EQ(transfer->weight_at(0), 0.9);
  EXPECT_EQ(transfer->weight_at(7.5), 0.9);
}

TEST(TransferWeight, MovesLinearlyBetweenItsEpochs) {
  const auto transfer = make_transfer("logits.kd", {100, 0, 1, 3});
  EXPECT_EQ(transfer->weight_at(0.5), 100);
  EXPECT_EQ(transfer->weight_at(1), 100);
  EXPECT_NEAR(transfer->weight_at(1.5), 75, kRateTolerance * 75);
  EXPECT_EQ(transfer->weight_at(3), 0);
  EXPECT_EQ(transfer->weight_at(9), 0);
}

TEST(TransferWeight, JumpsWhereBothEpochsAreOne) {
  const auto transfer = make_transfer("logits.kd", {0, 1, 2, 2});
  EXPECT_EQ(transfer->weight_at(1.9), 0);
  EXPECT_EQ(transfer->weight_at(2.1), 1);
}

}  // namespace
}  // namespace retort::test
