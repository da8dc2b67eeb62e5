// Terms that would teach nothing, and strategies that read what they do not declare: told before
// anything trains, with the transfer, the strategy and its file.
#include <gmock/gmock.h>

#include <ATen/ops/equal.h>

#include "framework/run/term_trial.hpp"
#include "tests/framework/cli/program.hpp"
#include "tests/framework/train/train_rig.hpp"
#include "tests/sdk/conformance.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The tiny experiment with these strategies alone, each of the same weight.
class TermTrial : public testing::Test {
 protected:
  Finished run(const std::string& command, const std::vector<std::string>& strategies,
               const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {command, tiny_experiment(scratch_).string(), "--plugins",
                                          RETORT_SILENT_DIR};
    std::string transfers = "transfer=[";
    for (const std::string& strategy : strategies)
      transfers += "{ strategy = \"" + strategy + "\", weight = 0.5 }, ";
    arguments.push_back(transfers + "]");
    arguments.insert(arguments.end(), more.begin(), more.end());
    return retort(arguments);
  }
  Finished check(const std::string& strategy, const std::vector<std::string>& more = {}) {
    return run("check", {strategy}, more);
  }
  bool trained() const { return std::filesystem::exists(scratch_.path("runs")); }

  Scratch scratch_;
};

TEST_F(TermTrial, RefusesEachLossWithoutAGradientPathWhateverItsWeight) {
  const std::vector<std::string> ids = {"silent.detached", "silent.no_grad", "silent.compares",
                                        "silent.teacher_only"};
  const Finished checked = run("check", ids, {"transfer[0].weight={from=0, to=1, epochs=[0, 1]}"});
  EXPECT_EQ(checked.code, 2);
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_THAT(checked.err, HasSubstr("transfer[" + std::to_string(i) + "] \"" + ids[i] + "\""));
    EXPECT_THAT(checked.err, ContainsRegex(ids[i] + " 0.1.0 \\(.*silent_terms.retort\\): its loss "
                                                    "has no gradient path to the student"));
  }
  EXPECT_THAT(checked.err, HasSubstr("4 mistakes; nothing was started."));
}

TEST_F(TermTrial, TellsWhenTheGradientPathIsLostLater) {
  const Finished ran = run("run", {"silent.loses_its_path"}, {"train.epochs=1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const std::string told = "step 2: the loss of silent.loses_its_path has no gradient path";
  EXPECT_THAT(ran.err, HasSubstr(told));
  EXPECT_EQ(ran.err.find("no gradient path"), ran.err.rfind("no gradient path"));
}

TEST_F(TermTrial, TellsOfAMetricThatIsNotFinite) {
  const Finished ran = run("run", {"silent.logs_nan"}, {"train.epochs=1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("epoch 1: the metric silent.logs_nan/gap is nan"));
}

TEST_F(TermTrial, NamesAStrategyWhoseLossIsComplexOrReadsFreshMemory) {
  const Finished complex = check("silent.is_complex");
  EXPECT_EQ(complex.code, 1);
  EXPECT_THAT(complex.err, AllOf(HasSubstr("silent.is_complex 0.1.0"),
                                 HasSubstr("loss(), step 0 returns a complex number")));
  const Finished fresh = check("silent.reads_fresh_memory");
  EXPECT_EQ(fresh.code, 1);
  EXPECT_THAT(fresh.err, AllOf(HasSubstr("silent.reads_fresh_memory 0.1.0"),
                               HasSubstr("aten::empty_like gives whatever lies in memory")));
}

TEST_F(TermTrial, RunRefusesItBeforeTheTeacherTrains) {
  const Finished ran = run("run", {"silent.detached"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("transfer[0]"), HasSubstr("no gradient path")));
  EXPECT_FALSE(trained());
}

TEST_F(TermTrial, WarnsOfWhatTeachesNothing) {
  for (const char* command : {"check", "run"}) {
    const Finished finished =
        run(command, {"silent.flat", "silent.own_only", "silent.idle"}, {"train.epochs=1"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_THAT(
        finished.err,
        AllOf(HasSubstr("warning: "), HasSubstr("transfer[0] \"silent.flat\""),
              HasSubstr("teaches nothing: its loss is 0, and the gradient of the student's outputs "
                        "0 on logits [32, 10]"),
              HasSubstr("teaches the student nothing: its gradient reaches parameters of its own "
                        "alone (gain)"),
              HasSubstr("so that they stay as they start: never_read")));
  }
}

TEST_F(TermTrial, WarnsOfALossThatDiffersForEqualSteps) {
  const Finished checked = check("silent.counts_calls");
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.err,
              ContainsRegex("\"silent.counts_calls\": silent.counts_calls 0.1.0 .*gives "
                            "another loss for the same step a second time"));
}

TEST_F(TermTrial, WarnsOfATransferThatHasNoWeightInAnyStep) {
  for (const char* weight : {"0", "{from=0, to=1, epochs=[2, 4]}"}) {
    const std::string key = std::string("transfer[0].weight=") + weight;
    const Finished checked = check("logits.kd", {key, "train.epochs=2"});
    EXPECT_EQ(checked.code, 0) << checked.err;
    EXPECT_THAT(checked.err, HasSubstr("has weight 0 in all of the 2 epochs")) << weight;
  }
  const Finished acts =
      check("logits.kd", {"transfer[0].weight={from=0, to=1, epochs=[1, 4]}", "train.epochs=2"});
  EXPECT_THAT(acts.err, Not(HasSubstr("has weight 0")));
}

TEST_F(TermTrial, WarnsOfNetworksWhoseEvaluationDependsOnMoreThanTheSample) {
  const std::pair<const char*, const char*> kModels[] = {
      {"counts_forward", "gives other logits for the same samples a second time"},
      {"takes_the_batch", "gives a sample other logits among 8 samples than among 4"},
      {"ignores_its_input", "gives the same logits for 8 samples"},
      {"linear", nullptr}};
  for (const auto& [model, told] : kModels) {
    const std::string id = std::string("silent.") + model;
    const Finished checked = check("logits.kd", {"student={model=\"" + id + "\"}"});
    EXPECT_EQ(checked.code, 0) << checked.err;
    if (told == nullptr) {
      EXPECT_THAT(checked.err, Not(HasSubstr(id)));
    } else {
      EXPECT_THAT(checked.err, HasSubstr("student.model \"" + id + "\"")) << checked.err;
      EXPECT_THAT(checked.err, HasSubstr(told));
    }
  }
}

TEST_F(TermTrial, RefusesATapThatChangesItsShape) {
  const Finished checked =
      check("relational.sp", {"student={model=\"silent.changes_a_tap\"}",
                              "transfer[0].bind={student=\"side\", teacher=\"pooled\"}"});
  EXPECT_NE(checked.code, 0);
  EXPECT_THAT(checked.err,
              HasSubstr("publishes \"side\" as [32, 10, 1], and for one image of zeros "
                        "as [1, 10]"));
}

TEST_F(TermTrial, TellsOfATrainingInWhichNoWeightMoves) {
  const std::string told = "no weight of the student moved in the first epoch";
  EXPECT_THAT(run("run", {"logits.kd"}, {"train.optimizer.lr=1e-45", "train.epochs=1"}).err,
              HasSubstr(told));
  EXPECT_THAT(run("run", {"logits.kd"}, {"train.epochs=1"}).err, Not(HasSubstr(told)));
}

/// How often a text stands in another.
int64_t count_of(const std::string& text, const std::string& part) {
  int64_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

const std::string kUnreached =
    " parameters that neither its logits nor a bound tap depends on, so that they stay as they "
    "start: ";

TEST_F(TermTrial, NamesParametersOfTheStudentThatNothingReachesOnce) {
  for (const char* command : {"check", "run"}) {
    const Finished finished =
        run(command, {"logits.kd"}, {"student={model=\"silent.unreached\"}", "train.epochs=1"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_THAT(finished.err,
                AllOf(HasSubstr("command line: student={model=\"silent.unreached\"}  student.model "
                                "\"silent.unreached\": silent.unreached 0.1.0 ("),
                      HasSubstr("silent_terms.retort) has 8" + kUnreached +
                                "never_read, b, c, d, e and 3 more; look for detach or NoGrad")));
    EXPECT_EQ(count_of(finished.err, kUnreached), 1);
  }
}

TEST_F(TermTrial, CountsABoundTapAsAnOutput) {
  const Finished checked = run("check", {"relational.rkd"},
                               {"student={model=\"silent.unreached\"}",
                                "transfer[0].bind={student=\"side\", teacher=\"logits\"}"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.err, HasSubstr("has 7" + kUnreached));
}

TEST_F(TermTrial, NamesThemWithoutATransferToo) {
  for (const char* command : {"check", "run"}) {
    const Finished finished =
        run(command, {}, {"student={model=\"silent.unreached\"}", "train.epochs=1"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(count_of(finished.err, "student.model \"silent.unreached\""), 1) << finished.err;
  }
}

TEST_F(TermTrial, NamesThoseOfATeacherThatIsTrained) {
  const std::vector<std::string> teacher = {"teacher.model=silent.unreached", "train.epochs=1"};
  const Finished checked = run("check", {"logits.kd"}, teacher);
  EXPECT_EQ(count_of(checked.err, "teacher.model \"silent.unreached\""), 1) << checked.err;
  const Finished trained = run("run", {"logits.kd"}, teacher);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(count_of(trained.err, kUnreached), 1) << trained.err;
  const Finished kept = run("run", {"logits.kd"}, teacher);
  EXPECT_EQ(kept.code, 0) << kept.err;
  EXPECT_EQ(count_of(kept.err, kUnreached), 0) << kept.err;
}

TEST_F(TermTrial, SaysNothingOfATermThatTeachesLater) {
  const Finished checked =
      run("check", {"silent.warms_up", "silent.fills_up", "silent.bank", "relational.kta"});
  EXPECT_EQ(checked.code, 0);
  EXPECT_THAT(checked.err, IsEmpty());
}

TEST_F(TermTrial, SaysNothingWhereTheStudentStartsAsItsTeacher) {
  const std::vector<std::string> linear = {"student={model=\"silent.linear\"}",
                                           "teacher={model=\"silent.linear\"}", "train.epochs=1"};
  ASSERT_EQ(run("run", {"silent.plain"}, linear).code, 0);
  std::vector<std::string> equal = linear;
  const std::string weights = scratch_.path("runs/tiny/001/student.safetensors").string();
  for (const char* role : {"student", "teacher"})
    equal.push_back(std::string(role) + ".weights=" + weights);
  equal.push_back("data.augment=[]");
  const Finished checked = check("silent.plain", equal);
  ASSERT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("silent.plain 0 ")) << "the first loss is 0";
  EXPECT_THAT(checked.err, Not(HasSubstr("transfer[0]")));
}

void expect_nothing_changes(const host::Phase& phase,
                            const std::vector<const host::ParameterSet*>& sets) {
  std::vector<std::pair<at::Tensor, at::Tensor>> before;
  for (const host::ParameterSet* set : sets) {
    for (const host::Parameter& parameter : set->all())
      before.emplace_back(parameter.master, parameter.master.detach().clone());
  }
  EXPECT_THAT(host::try_terms(phase), IsEmpty());
  for (const auto& [tensor, value] : before) {
    EXPECT_TRUE(at::equal(tensor, value));
    EXPECT_FALSE(tensor.grad().defined());
  }
}

class TermTrialOf : public testing::TestWithParam<host::ComponentInfo> {
 protected:
  TermTrialOf() : rig_({}, true) {
    rig_.use_teacher(make_network("teacher", rig_.data));
    rig_.add(make_transfer(GetParam().id));
  }
  TrainingRig rig_;
};

TEST_P(TermTrialOf, AnInstalledStrategyFindsNothingAndChangesNothing) {
  const host::Loop loop(rig_.phase);
  expect_nothing_changes(rig_.phase, {&rig_.student->parameters(), &rig_.teacher->parameters(),
                                      rig_.transfers[0]->parameters()});
}

TEST(TermTrialOfANetworkAlone, FindsNothingAndChangesNothing) {
  const TrainingRig rig;
  expect_nothing_changes(rig.phase, {&rig.student->parameters()});
}

enum class Tried { No, Yes };

std::vector<at::Tensor> trained_tensors(Tried tried) {
  TrainingRig rig({}, true);
  rig.add(make_transfer("feature.fitnet"));
  host::Loop loop(rig.phase);
  if (tried == Tried::Yes) host::try_terms(rig.phase);
  loop.run_steps(3);
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : loop.tensors()) tensors.push_back(tensor.detach().clone());
  return tensors;
}

TEST(TermTrialBeforeTraining, LeavesItsBits) {
  const std::vector<at::Tensor> without = trained_tensors(Tried::No);
  const std::vector<at::Tensor> with = trained_tensors(Tried::Yes);
  ASSERT_EQ(with.size(), without.size());
  for (size_t i = 0; i < with.size(); ++i) EXPECT_TRUE(at::equal(with[i], without[i])) << i;
}

INSTANTIATE_TEST_SUITE_P(Built, TermTrialOf, testing::ValuesIn(built(RETORT_KIND_STRATEGY)),
                         name_of);

TEST_F(TermTrial, NamesTheDeclarationOfWhatAStrategyReads) {
  const auto told = [&](const char* id) { return check(id).err; };
  EXPECT_THAT(told("silent.reads_labels"),
              AllOf(HasSubstr("silent.reads_labels 0.1.0 ("), HasSubstr("loss(), step 0"),
                    HasSubstr("step.labels is read"), HasSubstr("add needs(Labels)")));
  EXPECT_THAT(told("silent.reads_indices"), HasSubstr("add needs(Indices)"));
  EXPECT_THAT(
      told("silent.reads_past_the_sdk"),
      HasSubstr("silent.reads_past_the_sdk does not declare needs(Features), needs(Labels), "
                "needs(Indices): add what it reads"));
  EXPECT_THAT(told("silent.reads_logits"), HasSubstr("add needs(Logits)"));
  const Finished labels = check("silent.reads_train_labels");
  EXPECT_EQ(labels.code, 1);
  EXPECT_THAT(labels.err, AllOf(HasSubstr("threw in setup(): setup.labels is read"),
                                HasSubstr("add needs(Labels)")));
}

TEST_F(TermTrial, RefusesATapThatIsNotBound) {
  EXPECT_THAT(check("silent.reads_a_tap_unbound").err,
              AllOf(HasSubstr("silent.reads_a_tap_unbound 0.1.0 ("),
                    HasSubstr("features[0] is read, and no tap is bound")));
  const Finished third = check("silent.reads_the_third_tap", {"transfer[0].bind=pooled"});
  EXPECT_EQ(third.code, 2);
  EXPECT_THAT(third.err, HasSubstr("features[2] is read, and the transfer binds 1 tap"));
  const Finished shape =
      check("silent.reads_the_third_shape", {"transfer[0].bind=[\"pooled\", \"layer1\"]"});
  EXPECT_EQ(shape.code, 2);
  EXPECT_THAT(shape.err, HasSubstr("features[2] is read, and the transfer binds 2 taps"));
}

TEST_F(TermTrial, TellsATapOfTheWrongRankAsAMistakeOfTheExperiment) {
  for (const char* id : {"feature.at", "silent.reads_maps"}) {
    const Finished checked = check(id, {"transfer[0].bind=pooled"});
    EXPECT_EQ(checked.code, 2) << checked.err;
    EXPECT_THAT(checked.err, AllOf(HasSubstr("command line: transfer[0].bind=pooled"),
                                   HasSubstr("transfer[0].bind = pooled"), HasSubstr(id),
                                   HasSubstr("1 mistake; nothing was started.")));
  }
}

TEST_F(TermTrial, NamesTheModelWhoseLogitsCannotBeTrained) {
  for (const char* command : {"check", "run"}) {
    const Finished dead = run(command, {"logits.kd"}, {"student={model=\"silent.no_gradient\"}"});
    EXPECT_EQ(dead.code, 1) << dead.err;
    EXPECT_THAT(dead.err, AllOf(HasSubstr("silent.no_gradient 0.1.0 ("),
                                HasSubstr("returns logits without a gradient: none of its 2 ")));
    EXPECT_FALSE(trained());
  }
  const Finished whole = check("logits.kd", {"student={model=\"silent.whole_numbers\"}"});
  EXPECT_EQ(whole.code, 1);
  EXPECT_THAT(whole.err, AllOf(HasSubstr("silent.whole_numbers 0.1.0 ("),
                               HasSubstr("returns logits of type Long")));
}

}  // namespace
}  // namespace retort::test
