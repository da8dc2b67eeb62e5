// Steps whose optimizer keeps the gradients of task and transfers apart: with dot.
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/framework/train/fault_rig.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using host::OptimizerConfig;
using testing::AllOf;
using testing::HasSubstr;

enum class Terms { Task, Transfers, All };

/// A student, a teacher, and up to three terms; the features' transfer has a module of its own.
struct GroupsRig : TrainingRig {
  explicit GroupsRig(Terms terms, OptimizerConfig::Kind kind = OptimizerConfig::Kind::Dot)
      : TrainingRig({}, true) {
    phase.train.optimizer.kind = kind;
    if (terms == Terms::Transfers) set_task(0);
    if (terms == Terms::Task) return;
    add(make_transfer("feature.fitnet", {}, {"layer2"}));
  }
  /// All that a loop holds after so many steps.
  std::map<std::string, at::Tensor> tensors_after(int64_t steps) {
    host::Loop loop(phase);
    loop.run_steps(steps);
    const Moment moment(loop);
    return {moment.tensors.begin(), moment.tensors.end()};
  }
};

/// The largest difference of two networks' weights.
double distance(const std::map<std::string, at::Tensor>& a,
                const std::map<std::string, at::Tensor>& b) {
  double largest = 0;
  for (const auto& [name, tensor] : a) {
    if (!name.starts_with("network/") && !name.starts_with("transfer/")) continue;
    largest = std::max(largest, tensor.sub(b.at(name)).abs().max().item<double>());
  }
  return largest;
}

/// What a first step leaves as momentum is the gradient.
TEST(GradientGroups, AreThoseOfTheirOwnTermsAlone) {
  for (const int64_t accumulate : {1, 2}) {
    const auto run = [&](Terms terms) {
      GroupsRig rig(terms);
      rig.phase.train.optimizer.weight_decay = 0;
      rig.phase.train.accumulate = accumulate;
      return rig.tensors_after(accumulate);
    };
    const auto all = run(Terms::All), task = run(Terms::Task), transfers = run(Terms::Transfers);
    size_t of_task = 0, of_transfers = 0;
    for (const auto& [name, tensor] : all) {
      if (name.ends_with("/first")) {
        EXPECT_TRUE(tensor.equal(task.at(name))) << name;
        ++of_task;
      } else if (name.ends_with("/second")) {
        EXPECT_TRUE(tensor.equal(transfers.at(name))) << name;
        ++of_transfers;
      }
    }
    EXPECT_GT(of_transfers, 1u);
    EXPECT_GT(of_task, of_transfers);  // the classifier lies behind the hint
    EXPECT_EQ(all.count("optimizer/student/fc.weight/second"), 0u);
  }
}

TEST(GradientGroups, OfTermsOfOneKindGiveTheBytesOfSgd) {
  for (const Terms terms : {Terms::Task, Terms::Transfers}) {
    GroupsRig dot(terms), sgd(terms, OptimizerConfig::Kind::Sgd);
    for (GroupsRig* rig : {&dot, &sgd}) rig->phase.train.clip_norm = 0.5;
    EXPECT_EQ(distance(dot.tensors_after(6), sgd.tensors_after(6)), 0);
  }
}

/// Momentum is linear: two of one size make that of the sum.
TEST(GradientGroups, OfOneMomentumStepAsSgdDoes) {
  const auto run = [](OptimizerConfig::Kind kind, double delta) {
    GroupsRig rig(Terms::All, kind);
    rig.phase.train.optimizer.delta = delta;
    rig.phase.train.accumulate = 2;
    rig.phase.train.clip_norm = 0.5;
    return rig.tensors_after(8);
  };
  const auto sgd = run(OptimizerConfig::Kind::Sgd, 0);
  EXPECT_LT(distance(run(OptimizerConfig::Kind::Dot, 0), sgd), kReorderedTolerance);
  EXPECT_GT(distance(run(OptimizerConfig::Kind::Dot, 0.075), sgd), 10 * kReorderedTolerance);
}

/// In each of the two epochs; the second has no transfer left.
TEST(GradientGroups, GoOnFromASavedState) {
  const auto make_rig = [] {
    auto rig = std::make_unique<GroupsRig>(Terms::Task);
    rig->add(make_transfer("feature.fitnet", {1, 0, 0, 1}, {"layer2"}));
    rig->phase.train.accumulate = 2;
    rig->phase.train.non_finite = host::NonFinite::Rollback;
    return rig;
  };
  const auto whole = make_rig();
  host::Loop unbroken(whole->phase);
  unbroken.checkpoint_steps = 2;
  std::vector<Moment> saved;
  unbroken.on_checkpoint = [&] { saved.emplace_back(unbroken); };
  ASSERT_TRUE(unbroken.run());
  ASSERT_GE(saved.size(), 3u);
  for (const size_t i : {size_t{0}, size_t{2}}) {
    const auto second = make_rig();
    host::Loop resumed(second->phase);
    resumed.restore(saved[i].state, saved[i].tensors, saved[i].rollback);
    ASSERT_TRUE(resumed.run());
    expect_equal(Moment(resumed), Moment(unbroken));
  }
}

TEST(GradientGroups, WithoutAPathAreLeftOut) {
  TrainingRig rig;
  rig.phase.train.optimizer.kind = OptimizerConfig::Kind::Dot;
  add_fault(rig, "test.spoils", {{"what", int64_t{2}}, {"at", int64_t{1}}});
  host::Loop loop(rig.phase);
  loop.run_steps(4);
  EXPECT_EQ(loop.steps_done(), 4);
}

TEST(GradientGroups, NameAPluginThatKeepsAGraph) {
  for (const bool own : {false, true}) {
    TrainingRig rig;
    rig.phase.train.optimizer.kind = OptimizerConfig::Kind::Dot;
    add_fault(rig, "test.keeps_graph", {{"own", own}});
    EXPECT_THAT(message_of<host::PluginError>([&] { host::Loop(rig.phase).run(); }),
                AllOf(HasSubstr("test.keeps_graph 1.0.0 ("), HasSubstr("loss(), step 1: ")));
  }
  TrainingRig rig;
  rig.phase.train.optimizer.kind = OptimizerConfig::Kind::Dot;
  rig.add(make_transfer("logits.tf_kd"));
  use_faulty_student(rig, "old_graph");
  EXPECT_THAT(message_of<host::PluginError>([&] { host::Loop(rig.phase).run(); }),
              AllOf(HasSubstr("test.faulty 1.0.0 ("), HasSubstr("forward(), step 1: ")));
}

}  // namespace
}  // namespace retort::test
