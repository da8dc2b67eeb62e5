#include "framework/train/loop.hpp"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/log_softmax.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/framework/train/train_rig.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;

class Overfitting : public testing::TestWithParam<std::string> {};

TEST_P(Overfitting, GetsAll64ImagesRight) {
  TrainingRig rig;
  rig.data = learnable_images(64, 1.0);
  rig.use_student(
      make_network("student", rig.data, {}, GetParam(),
                   GetParam() == "resnet" ? Options{{"depth", int64_t{8}}} : Options{}));
  rig.phase.train.epochs = 12;
  rig.phase.train.schedule.kind = host::ScheduleConfig::Kind::Cosine;
  host::Loop loop(rig.phase);
  host::EpochReport last;
  loop.on_epoch = [&](const host::EpochReport& report) { last = report; };
  EXPECT_TRUE(loop.run());
  EXPECT_EQ(last.epoch, 12);
  EXPECT_EQ(last.learners.front().accuracy.correct, 64);
}

INSTANTIATE_TEST_SUITE_P(Models, Overfitting, testing::Values("resnet", "convnet"),
                         [](const auto& its) { return its.param; });

TEST(Loop, MarksAnEpochAsBestOnlyWhenItIsBetterThanAllBefore) {
  TrainingRig rig;
  rig.phase.train.epochs = 5;
  host::Loop loop(rig.phase);
  int64_t most = -1;
  loop.on_epoch = [&](const host::EpochReport& report) {
    EXPECT_EQ(report.learners.front().best, report.learners.front().accuracy.correct > most)
        << report.epoch;
    most = std::max(most, report.learners.front().accuracy.correct);
  };
  loop.run();
  EXPECT_GT(most, 6);  // better than chance, so at least one epoch was compared
}

TEST(Loop, GivesTheSameParametersForTheSameSeed) {
  TrainingRig one, two;
  one.losses_of(6);
  two.losses_of(6);
  const auto first = state_of(*one.student), second = state_of(*two.student);
  for (const auto& [name, tensor] : first) EXPECT_TRUE(tensor.equal(second.at(name))) << name;
}

TEST(Loop, AddsItsTermsByTheirWeights) {
  TrainingRig rig({}, true);
  rig.set_task(0.25);
  rig.add(make_transfer("logits.kd", {0.75, 0.75, 0, 0}));
  rig.add(make_transfer("feature.fitnet", {2, 2, 0, 0}));
  const auto losses = rig.losses_of(1);
  expect_relative(
      losses.at("loss"),
      0.25 * losses.at("task") + 0.75 * losses.at("logits.kd") + 2 * losses.at("feature.fitnet"),
      kReorderedTolerance);
}

TEST(Loop, DoesNotCallATransferOfWeightZero) {
  TrainingRig rig({}, true);
  rig.add(make_transfer("logits.kd"));
  rig.add(make_transfer("feature.fitnet", {0, 0, 0, 0}));
  EXPECT_THAT(rig.losses_of(2), ElementsAre(Key("logits.kd"), Key("loss"), Key("task")));
}

TEST(Loop, StopsCallingATransferWhoseWeightReachesZero) {
  TrainingRig rig({}, true);
  rig.add(make_transfer("logits.kd", {1, 0, 0, 1}));
  host::Loop loop(rig.phase);
  std::vector<host::EpochReport> reports;
  loop.on_epoch = [&](const host::EpochReport& report) { reports.push_back(report); };
  loop.run();
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_THAT(reports[0].losses, ElementsAre(Key("task"), Key("logits.kd"), Key("loss")));
  EXPECT_THAT(reports[1].losses, ElementsAre(Key("task"), Key("loss")));
}

TEST(Loop, LeavesOutATaskOfWeightZero) {
  TrainingRig rig({}, true);
  rig.set_task(0);
  rig.add(make_transfer("logits.kd"));
  EXPECT_THAT(rig.losses_of(1), ElementsAre(Key("logits.kd"), Key("loss")));
}

TEST(Loop, SmoothsTheLabels) {
  TrainingRig rig;
  rig.set_task(1, 0.1);
  const host::Batch batch = first_batch(rig);
  const at::Tensor logits =
      rig.student->forward(batch.at(host::kImageField), {}, host::PassMode::Train).logits;
  const double sharp = at::cross_entropy_loss(logits, batch.at(host::kLabelField)).item<double>();
  const double flat = -at::log_softmax(logits, -1).mean().item<double>();
  expect_relative(rig.losses_of(1).at("task"), 0.9 * sharp + 0.1 * flat, kReorderedTolerance);
}

TEST(Loop, WeighsTheLabelsOfAMixedBatchByTheirParts) {
  TrainingRig rig;
  rig.phase.mix = {1, 0};
  rig.set_task(1, 0.1);
  const host::Batch batch = first_batch(rig);
  const at::Tensor logits =
      rig.student->forward(batch.at(host::kImageField), {}, host::PassMode::Train).logits;
  const auto loss_of = [&](const at::Tensor& labels) {
    return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, 0.1)
        .item<double>();
  };
  ASSERT_LT(batch.share, 0.99);
  expect_relative(rig.losses_of(1).at("task"),
                  batch.share * loss_of(batch.at(host::kLabelField)) +
                      (1 - batch.share) * loss_of(batch.at(host::kMixedLabelField)),
                  kReorderedTolerance);
}

TEST(Loop, CountsItsStepsByTheSamplesThatAreNotHeldOut) {
  TrainingRig rig;
  for (int64_t sample = 0; sample < 17; ++sample) rig.data.validation.push_back(sample);
  host::Loop loop(rig.phase);
  loop.run();
  EXPECT_EQ(loop.steps_done(), 2 * (47 / 16));
  rig.phase.batch_size = 48;
  EXPECT_THAT(message_of<host::ConfigError>([&] { host::Loop{rig.phase}; }),
              HasSubstr("data.batch_size = 48 is more than the 47 training samples"));
}

TEST(Loop, LearnsAlsoTheParametersOfATransfer) {
  TrainingRig rig({}, true);
  rig.add(make_transfer("feature.fitnet"));
  host::Loop loop(rig.phase);
  const host::Parameter& regressor = rig.transfers[0]->parameters()->all().at(0);
  const at::Tensor before = regressor.master.detach().clone();
  loop.run_steps(1);
  EXPECT_FALSE(regressor.master.equal(before));
}

TEST(Loop, KeepsTheTeacherAsItIs) {
  TrainingRig rig({}, true);
  rig.add(make_transfer("feature.fitnet"));
  const auto before = state_of(*rig.teacher);
  rig.losses_of(3);
  for (const host::Parameter& parameter : rig.teacher->parameters().all()) {
    EXPECT_TRUE(parameter.master.equal(before.at(parameter.name))) << parameter.name;
    EXPECT_FALSE(parameter.master.grad().defined()) << parameter.name;
  }
}

TEST(Loop, UpdatesTheStudentsRunningStatistics) {
  TrainingRig rig;
  const auto before = state_of(*rig.student);
  rig.losses_of(1);
  EXPECT_FALSE(state_of(*rig.student).at("bn1.running_mean").equal(before.at("bn1.running_mean")));
}

TEST(Transfer, RefusesMoreFeaturesThanItHasTaps) {
  const auto transfer = make_transfer("feature.fitnet", {}, {"layer1"}, "hint");
  const host::OutputShapes two = {{16, 10}, {{16, 8, 4, 4}, {16, 8, 4, 4}}};
  EXPECT_THAT(
      [&] { transfer->setup({}, two, two); },
      testing::ThrowsMessage<host::ShapeError>(HasSubstr("2 feature maps for the taps layer1")));
}

TEST(Loop, HandsEachTransferItsOwnTapsInTheOrderOfItsBinding) {
  TrainingRig rig({}, true);
  rig.add(make_transfer("feature.fitnet", {}, {"layer1"}, "first"));
  rig.add(make_transfer("feature.fitnet", {}, {"layer3", "layer1"}, "second"));
  // The same transfer, called by hand on the same batch before anything is learnt.
  const host::Batch batch = first_batch(rig);
  const std::vector<std::string> taps = {"layer3", "layer1"};
  const auto alone = make_transfer("feature.fitnet", {}, taps, "second");
  alone->setup({}, host::LiveNetwork(*rig.student).find_shapes(taps, 16),
               host::LiveNetwork(*rig.teacher).find_shapes(taps, 16));
  host::StepView step;
  step.put_outputs("student") =
      rig.student->forward(batch.at(host::kImageField), taps, host::PassMode::Train);
  step.put_outputs("teacher") =
      rig.teacher->forward(batch.at(host::kImageField), taps, host::PassMode::Evaluate);
  const double wanted = alone->loss(step).item<double>();
  expect_relative(rig.losses_of(1).at("second"), wanted, kReorderedTolerance);
}

TEST(Loop, BindsAGroupToTheTapsItStandsFor) {
  TrainingRig rig({}, true);
  rig.add(make_transfer("feature.at", {}, {"stages"}, "all"));
  rig.add(make_transfer("feature.at", {}, {"last_map", "stages.preact"}, "mixed"));
  const host::Loop loop(rig.phase);
  EXPECT_THAT(rig.transfers[0]->config().bind_student, ElementsAre("layer1", "layer2", "layer3"));
  EXPECT_THAT(rig.transfers[1]->config().bind_teacher,
              ElementsAre("layer3", "layer1.preact", "layer2.preact", "layer3.preact"));
}

TEST(Loop, RefusesStagesThatAreNotAsManyOnBothSides) {
  TrainingRig rig({}, true);
  rig.use_teacher(make_network("teacher", rig.data, {}, "resnet_imagenet", {{"stem", int64_t{1}}}));
  rig.add(make_transfer("feature.at", {}, {"stages"}));
  EXPECT_THAT(message_of<host::ConfigError>([&] { host::Loop loop(rig.phase); }),
              AllOf(HasSubstr("transfer[0].bind: the student has layer1, layer2, layer3 and the "
                              "teacher layer1, layer2, layer3, layer4"),
                    HasSubstr("name as many taps of each")));
}

TEST(Loop, RunsAStrategyThatNeedsNoTeacherWithoutOne) {
  TrainingRig rig;
  rig.add(make_transfer("logits.tf_kd"));
  const auto losses = rig.losses_of(2);
  EXPECT_GT(losses.at("logits.tf_kd"), 0);
  EXPECT_GT(losses.at("loss"), losses.at("task"));
}

TEST(Loop, StopsAtALossThatIsNotFiniteAndNamesStepAndTerm) {
  TrainingRig rig;
  rig.phase.train.optimizer.lr = 1e30;
  host::Loop loop(rig.phase);
  try {
    loop.run_steps(10);
    FAIL() << "a rate of 1e30 gave finite losses";
  } catch (const host::NonFiniteError& error) {
    EXPECT_EQ(error.code(), host::ExitCode::NonFinite);
    EXPECT_THAT(error.what(), HasSubstr("alone, step " + std::to_string(loop.steps_done()) +
                                        ": the loss term \"task\" is "));
    EXPECT_THAT(error.what(), HasSubstr("lower the learning rate"));
  }
}

TEST(Loop, RefusesABatchLargerThanTheData) {
  TrainingRig rig;
  rig.phase.batch_size = 65;
  EXPECT_THAT(message_of<host::ConfigError>([&] { host::Loop loop(rig.phase); }),
              HasSubstr("data.batch_size = 65 is more than the 64 training samples"));
}

TEST(Loop, RefusesATapThatTheModelLacksAndListsItsTaps) {
  TrainingRig rig({}, true);
  rig.add(make_transfer("feature.fitnet", {}, {"layer9"}));
  EXPECT_THAT(message_of<host::ConfigError>([&] { host::Loop loop(rig.phase); }),
              HasSubstr("transfer[0].bind.student \"layer9\"  convnet has: layer1.preact, layer1"));
}

TEST(ChannelsLast, GivesNearlyTheSameLosses) {
  host::Placement last;
  last.channels_last = true;
  TrainingRig plain({}, true), turned(last, true);
  for (TrainingRig* rig : {&plain, &turned}) rig->add(make_transfer("feature.fitnet"));
  const auto wanted = plain.losses_of(4), found = turned.losses_of(4);
  for (const auto& [name, value] : wanted) {
    expect_relative(found.at(name), value, kReorderedTolerance);
  }
}

TEST(Bf16, TrainsNearFloat32) {
  host::Placement bf16;
  bf16.bf16 = true;
  TrainingRig full({}, true), half(bf16, true);
  for (TrainingRig* rig : {&full, &half}) rig->add(make_transfer("logits.kd"));
  const auto wanted = full.losses_of(4), found = half.losses_of(4);
  for (const auto& [name, value] : wanted) {
    expect_relative(found.at(name), value, kBf16Tolerance);
  }
}

TEST(Bf16, KeepsParametersAndBuffersInFloat32) {
  host::Placement bf16;
  bf16.bf16 = true;
  TrainingRig rig(bf16);
  rig.losses_of(1);
  for (const auto& [name, tensor] : state_of(*rig.student)) {
    EXPECT_EQ(tensor.scalar_type(), at::kFloat) << name;
    EXPECT_TRUE(tensor.isfinite().all().item<bool>()) << name;
  }
}

TEST(Evaluation, DoesNotDependOnItsBatchSize) {
  TrainingRig rig;
  rig.losses_of(4);
  const host::Accuracy whole = host::evaluate(*rig.student, rig.data, rig.views, 64);
  const host::Accuracy parts = host::evaluate(*rig.student, rig.data, rig.views, 7);
  EXPECT_EQ(whole.correct, parts.correct);
  EXPECT_EQ(parts.total, 64);
}

TEST(Evaluation, OfTheValidationSplitCountsTheHeldOutSamples) {
  TrainingRig rig;
  rig.losses_of(4);
  for (int64_t sample = 1; sample < 64; sample += 3) rig.data.validation.push_back(sample);
  const host::Accuracy found =
      host::evaluate(*rig.student, rig.data, rig.views, 5, host::EvalSplit::Validation);
  // The rig tests on what it trains on, so each held-out sample is also a test sample.
  int64_t correct = 0;
  for (const int64_t sample : rig.data.validation) {
    const at::Tensor logits =
        rig.student->forward(rig.views.test_views(sample, 1), {}, host::PassMode::Evaluate).logits;
    correct += logits.argmax(1).eq(rig.data.test.labels[sample]).item<bool>() ? 1 : 0;
  }
  EXPECT_EQ(found.correct, correct);
  EXPECT_EQ(found.total, 21);
}

TEST(Evaluation, ChangesNothing) {
  TrainingRig rig;
  const auto before = state_of(*rig.student);
  host::evaluate(*rig.student, rig.data, rig.views, 64);
  for (const auto& [name, tensor] : state_of(*rig.student)) {
    EXPECT_TRUE(tensor.equal(before.at(name))) << name;
  }
}

TEST(Evaluation, LeavesGradientsOnWhenTheModelThrows) {
  TrainingRig rig;
  const host::InputShape other = {3, 8, 8, 10};
  host::NetworkConfig config;
  config.model = choose(RETORT_KIND_MODEL, "convnet");
  const auto network = host::build_network("student", config, other, {}, 1);
  EXPECT_THAT(
      message_of<host::PluginError>([&] { host::evaluate(*network, rig.data, rig.views, 64); }),
      AllOf(HasSubstr("convnet 1.0.0 ("), HasSubstr("threw in forward()"),
            HasSubstr("aten::conv2d: ")));
  EXPECT_TRUE(c10::GradMode::is_enabled());
}

TEST(Networks, StartAlikeEachTimeAndDifferentlyByRole) {
  TrainingRig rig;
  const auto again = make_network("student", rig.data), teacher = make_network("teacher", rig.data);
  EXPECT_TRUE(state_of(*again).at("fc.weight").equal(state_of(*rig.student).at("fc.weight")));
  EXPECT_FALSE(state_of(*teacher).at("fc.weight").equal(state_of(*again).at("fc.weight")));
}

TEST(Networks, PublishTheirTapsInTheOrderAskedFor) {
  TrainingRig rig;
  const host::Outputs outputs = rig.student->forward(
      rig.views.test_views(0, 3), {"pooled", "logits", "layer1"}, host::PassMode::Evaluate);
  EXPECT_EQ(outputs.features.at(0).sizes(), at::IntArrayRef({3, 64}));
  EXPECT_TRUE(outputs.features.at(1).is_same(outputs.logits));
  EXPECT_EQ(outputs.features.at(2).sizes(), at::IntArrayRef({3, 16, 8, 8}));
}

}  // namespace
}  // namespace retort::test
