// Phases with more than one learner, teacher or view.
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <set>

#include "framework/train/backward.hpp"
#include "framework/train/loop.hpp"
#include "tests/framework/train/fault_rig.hpp"

namespace retort::test {
namespace {

using Kind = host::OptimizerConfig::Kind;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

std::shared_ptr<host::Transfer> make_peer(const std::string& name, const std::string& student,
                                          const std::vector<std::string>& teachers) {
  host::TransferConfig config;
  config.name = name;
  config.strategy = choose(RETORT_KIND_STRATEGY, "logits.kd");
  config.student = student;
  config.teachers = teachers;
  return std::make_shared<host::Transfer>(config, at::kCPU, 1);
}

void expect_same(const std::map<std::string, at::Tensor>& a,
                 const std::map<std::string, at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(tensor.equal(b.at(name))) << name;
}

/// Two students that learn from each other, on one batch after the other.
struct Pair {
  explicit Pair(Kind optimizer = Kind::Sgd)
      : a(make_network("a", rig.data)), b(make_network("b", rig.data, {}, "resnet")) {
    rig.phase.train.optimizer.kind = optimizer;
    rig.phase.participants = {
        {"a", std::make_shared<host::LiveNetwork>(*a), true, {{.maker = &rig.views}}},
        {"b", std::make_shared<host::LiveNetwork>(*b), true, {{.maker = &rig.views}}}};
    rig.phase.terms = {std::make_shared<host::CrossEntropyTask>("a", 1, 0, "task.a"),
                       std::make_shared<host::CrossEntropyTask>("b", 1, 0, "task.b"),
                       make_peer("a_from_b", "a", {"b"}), make_peer("b_from_a", "b", {"a"})};
  }
  TrainingRig rig;
  std::unique_ptr<host::Network> a, b;
};

class SeveralLearnersWith : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Optimizers, SeveralLearnersWith, testing::Values(Kind::Sgd, Kind::Dot),
                         [](const auto& its) { return its.param == Kind::Dot ? "Dot" : "Sgd"; });

TEST_P(SeveralLearnersWith, AreEachUpdatedFromTheirOwnTermsAlone) {
  Pair both(GetParam()), one(GetParam());
  host::Loop(both.rig.phase).run_steps(1);
  // The same step, in which b only teaches.
  one.rig.phase.participants[1].learns = false;
  one.rig.phase.participants[1].teaching = host::PassMode::Train;
  one.rig.phase.terms = {one.rig.phase.terms[0], one.rig.phase.terms[2]};
  host::Loop(one.rig.phase).run_steps(1);
  expect_same(state_of(*both.a), state_of(*one.a));
  const auto start = state_of(*make_network("b", both.rig.data, {}, "resnet"));
  EXPECT_FALSE(state_of(*both.b).at("conv1.weight").equal(start.at("conv1.weight")));
  EXPECT_TRUE(state_of(*one.b).at("conv1.weight").equal(start.at("conv1.weight")));
}

TEST(SeveralLearners, HaveTermsTensorsAndReportsOfTheirOwn) {
  Pair pair;
  pair.rig.phase.train.ema = 0.9;
  host::Loop loop(pair.rig.phase);
  std::vector<std::string> reported, best;
  std::vector<std::string> losses;
  loop.on_best = [&](const host::Participant& learner) { best.push_back(learner.name); };
  loop.on_epoch = [&](const host::EpochReport& report) {
    reported.clear();
    losses.clear();
    for (const host::LearnerReport& learner : report.learners) reported.push_back(learner.name);
    for (const auto& [name, loss] : report.losses) losses.push_back(name);
  };
  ASSERT_TRUE(loop.run());
  EXPECT_THAT(reported, ElementsAre("a", "b"));
  EXPECT_THAT(losses, ElementsAre("task.a", "task.b", "a_from_b", "b_from_a", "loss"));
  EXPECT_THAT(std::vector<std::string>(best.begin(), best.begin() + 2), ElementsAre("a", "b"));
  std::set<std::string> kinds;
  for (const auto& [name, tensor] : loop.tensors()) kinds.insert(name.substr(0, name.find('/')));
  EXPECT_THAT(kinds, UnorderedElementsAre("network.a", "network.b", "average.a", "average.b",
                                          "optimizer.a", "optimizer.b"));
  EXPECT_EQ(loop.state().standings.size(), 2u);
}

TEST(SeveralLearners, AreClippedEachByTheirOwnNorm) {
  Pair both, one;
  both.rig.phase.train.clip_norm = one.rig.phase.train.clip_norm = 1e-3;
  both.rig.phase.terms.resize(2);
  one.rig.phase.participants.resize(1);
  one.rig.phase.terms.resize(1);
  host::Loop(both.rig.phase).run_steps(2);
  host::Loop(one.rig.phase).run_steps(2);
  expect_same(state_of(*both.a), state_of(*one.a));
}

/// A state in the middle of an epoch is all there is of both.
TEST_P(SeveralLearnersWith, GoOnFromASavedState) {
  Pair whole(GetParam()), second(GetParam());
  host::Loop unbroken(whole.rig.phase);
  unbroken.checkpoint_steps = 3;
  std::optional<Moment> saved;
  unbroken.on_checkpoint = [&] {
    if (!saved) saved.emplace(unbroken);
  };
  ASSERT_TRUE(unbroken.run());
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->state.step_in_epoch, 3);
  host::Loop resumed(second.rig.phase);
  resumed.restore(saved->state, saved->tensors);
  ASSERT_TRUE(resumed.run());
  expect_same(state_of(*whole.a), state_of(*second.a));
  expect_same(state_of(*whole.b), state_of(*second.b));
}

TEST(SeveralTeachers, AreHandedOverAsTheMeanOfTheirProbabilities) {
  const auto several = make_peer("kd", "student", {"one", "two", "three"});
  const auto single = make_peer("kd", "student", {"teacher"});
  const host::OutputShapes shapes = {{4, 10}, {}};
  several->setup({}, shapes, shapes);
  single->setup({}, shapes, shapes);
  host::StepView step;
  step.progress = at::zeros({});
  step.put_outputs("student").logits = at::randn({4, 10});
  host::StepView mean = step;
  at::Tensor probabilities = at::zeros({4, 10});
  for (const host::Wanted& wanted : several->wanted()) {
    if (wanted.as == "student") continue;
    const at::Tensor logits = at::randn({4, 10}).mul(3);
    step.put_outputs(wanted.as).logits = logits;
    probabilities.add_(at::softmax(logits, -1), 1.0 / 3);
  }
  mean.put_outputs("teacher").logits = probabilities.log();
  expect_relative(several->loss(step).item<double>(), single->loss(mean).item<double>(), 1e-5);
}

TEST(LearningUpToATap, LeavesWhatLiesBehindItOutOfUpdateAndDecay) {
  TrainingRig rig;
  rig.phase.train.optimizer.weight_decay = 0.1;
  host::Network& student = *rig.student;
  const host::Batch batch = first_batch(rig);
  const host::Outputs outputs =
      student.forward(batch.at(host::kImageField), {"layer2"}, host::PassMode::Evaluate);
  const auto names = host::parameters_behind(outputs.features.front(), student.parameters());
  EXPECT_FALSE(names.empty());
  student.parameters().learn_only(names);
  const auto before = state_of(student);
  host::Loop(rig.phase).run_steps(2);
  const auto after = state_of(student);
  size_t moved = 0, behind = 0;
  for (const host::Parameter& parameter : student.parameters().all()) {
    if (!parameter.trained) continue;
    const bool learns = std::find(names.begin(), names.end(), parameter.name) != names.end();
    const bool stays = before.at(parameter.name).equal(after.at(parameter.name));
    EXPECT_NE(stays, learns) << parameter.name;
    (learns ? moved : behind) += 1;
  }
  EXPECT_GE(moved, 4u);
  EXPECT_GE(behind, 2u);
  // It can learn as a whole again.
  student.parameters().learn_all();
  host::Loop(rig.phase).run_steps(1);
  EXPECT_FALSE(state_of(student).at("fc.weight").equal(after.at("fc.weight")));
}

TEST(ATeacherInTrainingMode, SeesTheBatchAndStaysAsItIs) {
  const auto loss_of = [](host::PassMode mode) {
    TrainingRig rig({}, true);
    rig.add(make_transfer("logits.kd"));
    rig.phase.participants[1].teaching = mode;
    const auto before = state_of(*rig.teacher);
    const double loss = rig.losses_of(2).at("logits.kd");
    expect_same(state_of(*rig.teacher), before);
    return loss;
  };
  EXPECT_NE(loss_of(host::PassMode::Train), loss_of(host::PassMode::Evaluate));
}

TEST(SeveralViews, OfASampleGiveRowsLabelsAndBatchesOfTheirOwn) {
  TrainingRig rig({}, true);
  host::ViewRecipe recipe;
  recipe.draws_as = "turned";
  recipe.times = 2;
  const host::ViewMaker twice(rig.data, rig.data.normalize, recipe, 1, false);
  for (host::Participant& participant : rig.phase.participants)
    participant.views.push_back({"turned", "image.turned", &twice});
  host::TransferConfig config;
  config.name = config.strategy.info.id = "logits.kd";
  config.strategy = choose(RETORT_KIND_STRATEGY, "logits.kd");
  config.view_student = config.view_teacher = "turned";
  rig.add(std::make_shared<host::Transfer>(config, at::kCPU, 1));
  EXPECT_EQ(host::make_views(rig.phase).size(), 2u);
  const auto losses = rig.losses_of(1);
  // Without augmentation a sample's copies are equal, and the mean over them is that over samples.
  TrainingRig plain({}, true);
  plain.add(make_transfer("logits.kd"));
  const auto wanted = plain.losses_of(1);
  EXPECT_EQ(losses.at("task"), wanted.at("task"));
  EXPECT_GT(losses.at("logits.kd"), 0);
}

}  // namespace
}  // namespace retort::test
