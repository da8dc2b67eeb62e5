// Steps that are not finite and training that goes on: skipped, or rolled back.
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "framework/train/finite.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/framework/train/fault_rig.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr double kRate = 0.01;

/// Adam, an average, and a strategy with everything that a step changes; eight steps an epoch.
struct SpoiltRig : TrainingRig {
  SpoiltRig(host::NonFinite policy, const Options& options) {
    data = learnable_images(128);
    use_student(make_network("student", data));
    phase.train.optimizer.kind = host::OptimizerConfig::Kind::Adam;
    phase.train.optimizer.lr = kRate;
    phase.train.optimizer.weight_decay = 0;
    phase.train.ema = 0.9;
    phase.train.non_finite = policy;
    add_fault(*this, "test.spoils", options);
  }
};

/// What a loop holds after each of its first steps.
std::vector<Moment> moments_of(SpoiltRig& rig, int64_t steps) {
  host::Loop loop(rig.phase);
  std::vector<Moment> moments;
  loop.on_progress = [&](const host::Progress&) { moments.emplace_back(loop); };
  loop.run_steps(steps);
  return moments;
}

/// What is not finite, 0 the loss or 1 the gradient, and with which optimizer.
class Skip : public testing::TestWithParam<std::tuple<int64_t, host::OptimizerConfig::Kind>> {};

TEST_P(Skip, ChangesNothingAtAll) {
  const auto& [what, optimizer] = GetParam();
  SpoiltRig rig(host::NonFinite::Skip, {{"what", what}, {"at", int64_t{5}}});
  rig.phase.train.optimizer.kind = optimizer;
  const auto moments = moments_of(rig, 7);
  ASSERT_EQ(moments.size(), 7u);
  expect_equal(moments[5], moments[4]);
  EXPECT_EQ(moments[5].state.skipped, 1);
  EXPECT_EQ(moments[5].state.step, 6);
  EXPECT_EQ(moments[6].state.loss_count, 6);
}

TEST_P(Skip, LeavesOutTheWholeGroupOfABadBatch) {
  const auto& [what, optimizer] = GetParam();
  for (const int64_t bad : {2, 3}) {
    SpoiltRig rig(host::NonFinite::Skip, {{"what", what}, {"at", bad}});
    rig.phase.train.optimizer.kind = optimizer;
    rig.phase.train.accumulate = 2;
    const auto moments = moments_of(rig, 6);
    ASSERT_EQ(moments.size(), 6u);
    // A gradient is looked at once a group, where its sum is used.
    expect_equal(moments[3], moments[1]);
    EXPECT_EQ(moments[3].state.step, 4) << bad;
    EXPECT_EQ(moments[5].state.skipped, 1) << bad;
    EXPECT_EQ(moments[5].state.loss_count, 4) << bad;
  }
}

std::string name_of(const testing::TestParamInfo<Skip::ParamType>& its) {
  const auto& [what, optimizer] = its.param;
  return std::string(what == 0 ? "OfALoss" : "OfAGradient") +
         (optimizer == host::OptimizerConfig::Kind::Dot ? "WithDot" : "");
}

INSTANTIATE_TEST_SUITE_P(Each, Skip,
                         testing::Combine(testing::Values(0, 1),
                                          testing::Values(host::OptimizerConfig::Kind::Adam,
                                                          host::OptimizerConfig::Kind::Dot)),
                         name_of);

/// What the first step that is not finite is told with.
std::string told_at(int64_t bad, host::NonFinite policy, int64_t accumulate) {
  SpoiltRig rig(policy, {{"at", bad}, {"count", int64_t{100}}});
  rig.phase.train.accumulate = accumulate;
  host::Loop loop(rig.phase);
  return message_of<host::NonFiniteError>([&] { loop.run_steps(100); });
}

TEST(NotFinite, BeforeTheFirstUpdateIsNotBlamedOnTheLearningRate) {
  const auto at_start =
      AllOf(HasSubstr("the learning rate is not the cause"),
            HasSubstr("look at the model's start values or weights, data.normal"));
  const auto later = HasSubstr("; lower the learning rate");
  EXPECT_THAT(told_at(0, host::NonFinite::Stop, 1), AllOf(HasSubstr("step 0: "), at_start));
  EXPECT_THAT(told_at(1, host::NonFinite::Stop, 1), later);
  EXPECT_THAT(told_at(1, host::NonFinite::Stop, 2), AllOf(HasSubstr("step 1: "), at_start));
  EXPECT_THAT(told_at(2, host::NonFinite::Stop, 2), later);
  // Neither ten steps that were skipped nor returns to the start have updated anything.
  EXPECT_THAT(told_at(0, host::NonFinite::Skip, 1), at_start);
  EXPECT_THAT(told_at(0, host::NonFinite::Rollback, 1), at_start);
  EXPECT_THAT(told_at(3, host::NonFinite::Skip, 1), later);
}

TEST(Skipping, TrainsOnToAFiniteStudent) {
  SpoiltRig rig(host::NonFinite::Skip, {{"at", int64_t{3}}, {"count", int64_t{10}}});
  host::Loop loop(rig.phase);
  EXPECT_TRUE(loop.run());
  EXPECT_EQ(loop.state().skipped, 10);
  EXPECT_EQ(host::find_not_finite(host::named_weights(rig.student->parameters())), "");
}

TEST(Skipping, OfEveryStepIsNoResult) {
  SpoiltRig rig(host::NonFinite::Skip, {{"at", int64_t{0}}, {"count", int64_t{100}}});
  rig.phase.train.epochs = 1;
  host::Loop loop(rig.phase);
  EXPECT_THAT(message_of<host::NonFiniteError>([&] { loop.run(); }),
              HasSubstr("alone: all of its 8 steps were skipped"));
}

TEST(Skipping, CountsStepsInARowAcrossAResume) {
  const Options bad = {{"at", int64_t{0}}, {"count", int64_t{100}}};
  SpoiltRig first(host::NonFinite::Skip, bad), second(host::NonFinite::Skip, bad);
  const Moment sixth = moments_of(first, 6).back();
  host::Loop loop(second.phase);
  loop.restore(sixth.state, sixth.tensors);
  EXPECT_THAT(message_of<host::NonFiniteError>([&] { loop.run(); }),
              AllOf(HasSubstr("step 10: "), HasSubstr("10 steps before it were skipped")));
}

TEST(Skipping, SeesABufferThatIsNotFinite) {
  SpoiltRig rig(host::NonFinite::Skip, {});
  use_faulty_student(rig, "buffer");
  host::Loop loop(rig.phase);
  EXPECT_THAT(message_of<host::NonFiniteError>([&] { loop.run(); }),
              HasSubstr("the buffer \"over.running_var\" holds infinity"));
}

/// Bad in the second epoch, until its learning rate is halved.
Options bad_once_at(int64_t step) {
  const double before = -kRate * static_cast<double>(step);
  const double halved = before + kRate / 2 * static_cast<double>(step - 8);
  return {{"at", step}, {"below", (before + halved) / 2}};
}

/// The whole of a run: its last moment, and what its epochs came to.
struct Whole {
  explicit Whole(host::Loop& loop) : end(run(loop)) {}
  Moment run(host::Loop& loop) {
    loop.on_epoch = [&](const host::EpochReport& report) {
      accuracies.push_back(report.learners.front().accuracy.correct);
      metrics = report.metrics;
      losses = report.losses;
    };
    EXPECT_TRUE(loop.run());
    return Moment(loop);
  }
  std::vector<int64_t> accuracies;
  std::vector<std::pair<std::string, double>> metrics, losses;
  Moment end;
};

void expect_equal(const Whole& found, const Whole& wanted) {
  expect_equal(found.end, wanted.end);
  EXPECT_EQ(found.metrics, wanted.metrics);
  EXPECT_EQ(found.losses, wanted.losses);
  EXPECT_EQ(found.accuracies.back(), wanted.accuracies.back());
  EXPECT_EQ(found.end.state.standings.front().best_epoch,
            wanted.end.state.standings.front().best_epoch);
  EXPECT_EQ(found.end.state.rollbacks, wanted.end.state.rollbacks);
}

TEST(Rollback, GoesOnAsIfTheEpochHadBegunWithHalfTheRate) {
  SpoiltRig rolled(host::NonFinite::Rollback, bad_once_at(13));
  SpoiltRig halved(host::NonFinite::Rollback, bad_once_at(13));
  std::optional<Moment> start;
  host::Loop first(rolled.phase), second(halved.phase);
  first.checkpoint_steps = 8;
  first.on_checkpoint = [&] {
    if (!start) start.emplace(first);
  };
  const Whole whole(first);
  EXPECT_EQ(whole.end.state.rollbacks, 1);
  EXPECT_EQ(whole.end.state.lr_factor, 0.5);
  start->state.lr_factor = 0.5;
  start->state.rollbacks = 1;
  second.restore(start->state, start->tensors, start->rollback);
  expect_equal(Whole(second), whole);
}

TEST(Rollback, ReturnsToTheEpochsStartAfterAResumeToo) {
  for (const int64_t kept : {8, 9, 13}) {
    SpoiltRig rolled(host::NonFinite::Rollback, bad_once_at(13));
    SpoiltRig resumed(host::NonFinite::Rollback, bad_once_at(13));
    std::optional<Moment> saved;
    host::Loop first(rolled.phase), second(resumed.phase);
    first.checkpoint_steps = 1;
    first.on_checkpoint = [&] {
      if (first.steps_done() == kept && !saved) saved.emplace(first);
    };
    const Whole whole(first);
    EXPECT_EQ(whole.end.state.rollbacks, 1);
    second.restore(saved->state, saved->tensors, saved->rollback);
    expect_equal(Whole(second), whole);
  }
}

TEST(Rollback, DropsWhatAGroupHadGathered) {
  SpoiltRig rig(host::NonFinite::Rollback, bad_once_at(13));
  rig.phase.train.accumulate = 4;
  rig.phase.train.optimizer.lr = 4 * kRate;  // the bound is for one update a batch
  host::Loop loop(rig.phase);
  EXPECT_TRUE(loop.run());
  EXPECT_EQ(host::find_not_finite(host::named_weights(rig.student->parameters())), "");
}

TEST(Results, ThatAreNotFiniteEndTrainingWithTheTensorsName) {
  for (const double ema : {0.0, 0.9}) {
    SpoiltRig rig(host::NonFinite::Stop, {});
    use_faulty_student(rig, "buffer");
    rig.phase.train.ema = ema;
    host::Loop loop(rig.phase);
    int epochs = 0;
    loop.on_epoch = [&](const host::EpochReport&) { ++epochs; };
    EXPECT_THAT(message_of<host::NonFiniteError>([&] { loop.run(); }),
                HasSubstr("alone, after epoch 1: \"over.running_var\" holds infinity in the "
                          "student; lower the learning rate"));
    EXPECT_EQ(epochs, 0);
  }
}

TEST(Results, OfAnAverageThatIsNotFiniteDoToo) {
  SpoiltRig rig(host::NonFinite::Stop, {});
  host::Loop loop(rig.phase);
  for (auto& [name, tensor] : loop.tensors()) {
    if (name == "average/fc.bias") tensor.fill_(__builtin_nan(""));
  }
  EXPECT_THAT(message_of<host::NonFiniteError>([&] { loop.run(); }),
              HasSubstr("\"the average of fc.bias\" holds NaN"));
}

TEST(Results, ThatAreNotFiniteAreNotWritten) {
  TrainingRig rig;
  const Scratch scratch;
  rig.student->parameters().find("bn1.running_var")->master.fill_(__builtin_inf());
  const auto file = scratch.path("student.safetensors");
  EXPECT_THAT(message_of<host::NonFiniteError>(
                  [&] { host::save_network(file, rig.student->parameters(), {}); }),
              AllOf(HasSubstr("student.safetensors: not written"),
                    HasSubstr("\"bn1.running_var\" holds infinity in the student")));
  EXPECT_EQ(files_in(scratch.folder()), 0u);
}

TEST(Evaluation, OfOutputsThatAreNotFiniteIsNeverTheBest) {
  TrainingRig rig;
  use_faulty_student(rig, "nan_in_evaluation");
  host::Loop loop(rig.phase);
  loop.on_epoch = [](const host::EpochReport& report) {
    EXPECT_FALSE(report.learners.front().best);
    EXPECT_EQ(report.learners.front().accuracy.correct, 0);
    EXPECT_EQ(report.learners.front().accuracy.not_finite, report.learners.front().accuracy.total);
  };
  loop.on_best = [](const host::Participant&) { FAIL() << "outputs of NaN are the best"; };
  EXPECT_TRUE(loop.run());
  EXPECT_EQ(loop.state().standings.front().best_epoch, 0);
}

}  // namespace
}  // namespace retort::test
