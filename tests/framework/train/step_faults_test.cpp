// What a loop leaves out of a step, how it divides groups of batches, and what it says of plugins
// whose graphs cannot be gone back through.
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/framework/train/fault_rig.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Accumulation, DividesAnEpochsLastGroupByItsOwnSize) {
  TrainingRig grouped, single;
  grouped.phase.train.accumulate = 3;  // four batches an epoch: a group of three, and one of one
  grouped.phase.train.optimizer.momentum = 0;
  single.phase.train.optimizer.momentum = 0;
  std::vector<Moment> moments;
  host::Loop first(grouped.phase), second(single.phase);
  first.on_progress = [&](const host::Progress&) { moments.emplace_back(first); };
  first.run_steps(4);
  ASSERT_EQ(moments.size(), 4u);
  second.restore(moments[2].state, moments[2].tensors);
  second.checkpoint_steps = 1;
  std::optional<Moment> wanted;
  second.on_checkpoint = [&] {
    if (!wanted) wanted.emplace(second);
  };
  second.run();
  expect_equal(moments[3], *wanted);
}

TEST(Loop, LeavesTheTeacherOutWhereNoActiveTermNeedsIt) {
  TrainingRig rig({}, true);
  rig.add(make_transfer("logits.tf_kd"));
  rig.add(make_transfer("logits.kd", {1, 0, 0, 1}));  // until the second epoch
  rig.phase.train.epochs = 2;
  host::Loop loop(rig.phase);
  std::vector<double> seconds;
  loop.on_progress = [&](const host::Progress&) {
    seconds.push_back(loop.times()[static_cast<size_t>(host::StepPart::Teacher)]);
  };
  loop.run();
  ASSERT_EQ(seconds.size(), 8u);
  EXPECT_GT(seconds[3], seconds[2]);
  EXPECT_EQ(seconds[7], seconds[3]);
}

TEST(Loop, GivesTheSameStepsWhetherOrNotATeacherIsThatNoTermNeeds) {
  TrainingRig with({}, true), without;
  for (TrainingRig* rig : {&with, &without}) rig->add(make_transfer("logits.tf_kd"));
  EXPECT_EQ(with.losses_of(4), without.losses_of(4));
}

TEST(Backward, NamesAStrategyThatKeepsAGraph) {
  for (const bool own : {false, true}) {
    TrainingRig rig;
    rig.add(make_transfer("logits.tf_kd"));
    add_fault(rig, "test.keeps_graph", {{"own", own}});
    EXPECT_THAT(message_of<host::PluginError>([&] { host::Loop(rig.phase).run(); }),
                AllOf(HasSubstr("test.keeps_graph 1.0.0 ("),
                      HasSubstr("loss(), step 1: its loss leads back into the graph of an earlier "
                                "step"),
                      HasSubstr("detach(x)")));
  }
}

TEST(Backward, NamesAModelThatKeepsAGraph) {
  TrainingRig rig;
  rig.add(make_transfer("logits.tf_kd"));
  use_faulty_student(rig, "old_graph");
  EXPECT_THAT(message_of<host::PluginError>([&] { host::Loop(rig.phase).run(); }),
              AllOf(HasSubstr("test.faulty 1.0.0 ("),
                    HasSubstr("forward(), step 1: what it returns leads back into the graph")));
}

TEST(Backward, TellsWhereNoTermHasAGradient) {
  TrainingRig rig;
  rig.set_task(0);
  add_fault(rig, "test.spoils", {{"what", int64_t{2}}, {"at", int64_t{2}}});
  EXPECT_THAT(message_of<host::PluginError>([&] { host::Loop(rig.phase).run(); }),
              AllOf(HasSubstr("step 2: no term of the loss has a gradient"), HasSubstr("convnet"),
                    HasSubstr("test.spoils 1.0.0 (")));
}

}  // namespace
}  // namespace retort::test
