#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "framework/config/trials.hpp"
#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using SweepTest = ConfigTest;

const std::string kBase =
    kWithTeacher + "[[transfer]]\nstrategy = \"logits.kd\"\n";  // seven lines and one more

TEST_F(SweepTest, KeepsValuesAsTomlText) {
  const Experiment experiment =
      load(kBase +
           "[sweep.keys]\n\"transfer[0].temperature\" = [2, 4.5]\n"
           "\"student.shortcut\" = ['A', \"B\"]\n\"data.augment\" = [[], [\"flip\", \"crop(2)\"]]\n"
           "\"transfer[0].weight\" = [1, { from = 1, to = 0, epochs = [0, 1] }]\n");
  ASSERT_TRUE(experiment.sweep.has_value());
  EXPECT_EQ(experiment.sweep->kind, SweepConfig::Kind::Grid);
  std::map<std::string, std::vector<std::string>> values;
  for (const SweepKey& key : experiment.sweep->keys) values[key.key] = key.values;
  EXPECT_THAT(values["transfer[0].temperature"], ElementsAre("2", "4.5"));
  EXPECT_THAT(values["student.shortcut"], ElementsAre("\"A\"", "\"B\""));
  EXPECT_THAT(values["data.augment"], ElementsAre("[]", "[\"flip\", \"crop(2)\"]"));
  EXPECT_THAT(values["transfer[0].weight"], ElementsAre("1", HasSubstr("epochs = [0, 1]")));
}

TEST_F(SweepTest, AValueThatATrialCannotTakeIsToldBeforeAnyTrial) {
  EXPECT_EQ(mistakes(kBase + "[sweep.keys]\n\"student.depth\" = [8, 5]\n\"train.epocs\" = [1]\n"
                             "\"transfer[1].weight\" = [1]\n"),
            "kd.toml:10:23  sweep.keys.\"student.depth\"[1] = 5   student.depth = 5 must be >= 8 "
            "(default 20)\n"
            "kd.toml:11:18  sweep.keys.\"train.epocs\"[0] = 1   train.epocs unknown key; did you "
            "mean \"epochs\"?  known: epochs, optimizer, schedule, clip_norm, label_smoothing, "
            "no_decay, eval_batch_size, accumulate, ema, early_stop, non_finite\n"
            "kd.toml:12:25  sweep.keys.\"transfer[1].weight\"[0] = 1   transfer[1] there are 1, "
            "counted from 0\n3 mistakes; nothing was started.");
}

TEST_F(SweepTest, AMistakeOfTheFileIsToldOnce) {
  EXPECT_EQ(mistake(kBase + "temperature = 0\n[sweep.keys]\n\"student.depth\" = [8, 20]\n"),
            "kd.toml:9:15 transfer[0].temperature = 0 must be > 0 (default 4)");
}

TEST_F(SweepTest, AKeyInTwoSpellingsAndAValueTwiceAreRefused) {
  EXPECT_THAT(mistakes(kBase + "[sweep.keys]\n\"train.epochs\" = [1]\n'train.\"epochs\"' = [3]\n"),
              HasSubstr("again; name it once, with all its values"));
  EXPECT_THAT(mistakes(kBase + "[sweep.keys]\n\"transfer[0].temperature\" = [1]\n"
                               "\"transfer.0.temperature\" = [3]\n"),
              HasSubstr("is the key transfer.0.temperature again"));
  EXPECT_THAT(mistake(kBase + "[sweep.keys]\n\"train.epochs\" = [1, 2, 1]\n"),
              HasSubstr("kd.toml:10:25 sweep.keys.\"train.epochs\" has 1 twice"));
}

TEST_F(SweepTest, AListsTrialIsCheckedAsAWhole) {
  const std::string list = kBase +
                           "[sweep]\nkind = \"list\"\n[sweep.keys]\n"
                           "\"train.optimizer\" = [\"sgd\", \"adam\"]\n";
  EXPECT_EQ(mistakes(list + "\"train.optimizer.lr\" = [0.1, 0.001]\n"), "");
  EXPECT_THAT(mistake(list + "\"train.optimizer.momentum\" = [0.9, 0.8]\n"),
              HasSubstr("sweep.keys.\"train.optimizer.momentum\"[1] = 0.8 "
                        "train.optimizer.momentum adam has none; sgd and dot do"));
}

TEST_F(SweepTest, BothEndsOfARangeAreTried) {
  const std::string random = kBase + "[sweep]\nkind = \"random\"\ntrials = 3\n[sweep.keys]\n";
  EXPECT_EQ(mistakes(random + "\"train.optimizer.lr\" = { min = 1e-3, max = 0.1, log = true }\n"),
            "");
  EXPECT_EQ(mistake(random + "\"train.ema\" = { min = 0.5, max = 1.5 }\n"),
            "kd.toml:13:34 sweep.keys.\"train.ema\".max = 1.5 train.ema = 1.5 must be >= 0 and < 1 "
            "(default 0)");
}

TEST_F(SweepTest, EveryDrawIsChecked) {
  // Both ends are integers, what lies between them is not.
  EXPECT_THAT(
      mistake(kBase + "[sweep]\nkind = \"random\"\ntrials = 3\n[sweep.keys]\n"
                      "\"train.epochs\" = { min = 1, max = 9 }\n"),
      testing::MatchesRegex("kd.toml:13:18 sweep.keys.\"train.epochs\" draws [1-8]\\.[0-9]+: "
                            "train.epochs = [1-8]\\.[0-9]+ must be an integer, not .*"));
}

TEST_F(SweepTest, EveryCombinationIsChecked) {
  EXPECT_EQ(mistake(kBase + "[sweep.keys]\n\"train.epochs\" = [9, 3]\n"
                            "\"train.schedule.warmup_epochs\" = [1, 5]\n"),
            "kd.toml:11:38 sweep.keys.\"train.schedule.warmup_epochs\"[1] = 5 "
            "train.schedule.warmup_epochs = 5 the warm-up must end before the training does, after "
            "epoch 3");
}

TEST_F(SweepTest, AGridOfTooManyTrialsIsRefused) {
  std::string keys;
  for (const char* key : {"seed", "train.epochs", "train.early_stop", "train.accumulate"}) {
    keys += std::string("\"") + key + "\" = [1";
    for (int i = 2; i <= 40; ++i) keys += ", " + std::to_string(i);
    keys += "]\n";
  }
  EXPECT_THAT(mistake(kBase + "[sweep.keys]\n" + keys),
              HasSubstr("sweep.keys make 2560000 trials; at most 1000000"));
}

/// How often each value of a range is drawn.
std::map<std::string, int> count_draws(double min, double max, bool log, int64_t trials) {
  SweepConfig sweep;
  sweep.kind = SweepConfig::Kind::Random;
  sweep.keys = {{"k", {}, min, max, log, /*integer=*/true}};
  sweep.trials = trials;
  std::map<std::string, int> counts;
  for (const auto& overrides : config::make_trials(sweep, 1)) ++counts[overrides.at(0)];
  return counts;
}

TEST(Draws, OfIntegersAreUniformOverBothEnds) {
  const auto counts = count_draws(-2, 2, false, 10000);
  ASSERT_EQ(counts.size(), 5u);
  for (const char* value : {"k=-2", "k=-1", "k=0", "k=1", "k=2"}) {
    EXPECT_NEAR(counts.at(value), 2000, 200) << value;  // five deviations
  }
}

TEST(Draws, OfIntegersByTheirLogarithmStayWithinBothEnds) {
  const auto counts = count_draws(3, 6, true, 10000);
  ASSERT_EQ(counts.size(), 4u);
  for (int value = 3; value <= 6; ++value) {
    const double share = std::log((value + 1.0) / value) / std::log(7.0 / 3);
    EXPECT_NEAR(counts.at("k=" + std::to_string(value)), 10000 * share, 250) << value;
  }
  // The logarithm of some minima comes back below them.
  for (int min = 1; min < 200; ++min) {
    EXPECT_EQ(count_draws(min, min + 1, true, 20).count("k=" + std::to_string(min - 1)), 0u);
  }
}

/// What sweeps of version 0.1 drew, so that they find their trials again.
TEST(Draws, StayWhatTheyWere) {
  SweepConfig sweep;
  sweep.kind = SweepConfig::Kind::Random;
  sweep.trials = 3;
  sweep.keys = {{"train.epochs", {}, 200, 300, false, true},
                {"train.optimizer.lr", {}, 1e-3, 0.1, true, false},
                {"transfer[0].temperature", {"2", "4.5"}, {}, {}, false, false}};
  const auto trials = config::make_trials(sweep, 3);
  ASSERT_EQ(trials.size(), 3u);
  EXPECT_THAT(trials[0], ElementsAre("train.epochs=234", "train.optimizer.lr=0.0011682871635163143",
                                     "transfer[0].temperature=2"));
  EXPECT_THAT(trials[2], ElementsAre("train.epochs=227", "train.optimizer.lr=0.005047347044365606",
                                     "transfer[0].temperature=4.5"));
}

TEST_F(SweepTest, TrialsAreMadeOfTheFilesAsTheyWereRead) {
  write("base.toml", kBase + "weight = 3\n[train]\nepochs = 5\n");
  write("kd.toml", "extends = \"base.toml\"\n[sweep.keys]\n\"student.depth\" = [8, 14]\n");
  const ExperimentFile file("kd.toml", {"task.weight=2"}, catalog_);
  write("base.toml", "not TOML");
  write("kd.toml", kWithTeacher);
  const Experiment trial = file.load_trial({"student.depth=14"});
  EXPECT_EQ(trial.train.epochs, 5);
  EXPECT_EQ(trial.task.weight, 2);
  EXPECT_EQ(std::get<int64_t>(trial.students[0].model.options[0]), 14);
  EXPECT_FALSE(trial.sweep);
  EXPECT_EQ(file.load().sweep->keys.size(), 1u);
}

TEST_F(SweepTest, MayGoOverPhasesAndSeveralNetworks) {
  const std::string sweep =
      kMany +
      "[sweep.keys]\n\"phase[0].train.epochs\" = [5, 6]\n\"student[0].depth\" = [8, 14]\n"
      "\"transfer[1].teacher\" = [\"big\", [\"big\", \"wide\"]]\n";
  EXPECT_EQ(load(sweep).sweep->keys.size(), 3u);
  const ExperimentFile file("kd.toml", {}, catalog_);
  const Experiment trial = file.load_trial(
      {"phase[0].train.epochs=6", "student[0].depth=14", "transfer[1].teacher=\"big\""});
  EXPECT_EQ(trial.phases[0].train.epochs, 6);
  EXPECT_EQ(trial.phases[1].train.epochs, 3);
  EXPECT_EQ(std::get<int64_t>(trial.students[0].model.options[0]), 14);
  EXPECT_THAT(trial.transfers[1].teachers, ElementsAre("big"));
  EXPECT_THAT(
      mistake(kMany + "[sweep.keys]\n\"phase[0].train.epochs\" = [5, 0]\n"),
      HasSubstr("sweep.keys.\"phase[0].train.epochs\"[1] = 0 phase[0].train.epochs = 0 must "
                "be >= 1"));
  EXPECT_THAT(mistake(kMany + "[sweep.keys]\n\"phase[3].train.epochs\" = [5]\n"),
              HasSubstr("phase[3] there are 3, counted from 0"));
}

TEST_F(SweepTest, MayGoOverTheSeed) {
  const std::string text = kBase + "[sweep.keys]\nseed = [5, 6]\n";
  load(text);
  const ExperimentFile file("kd.toml", {}, catalog_);
  EXPECT_EQ(file.load_trial({"seed=6"}).seed, 6u);
  EXPECT_EQ(mistake("seeds = [1, 2]\n" + text),
            "kd.toml:11:1 sweep.keys.seed there are seeds too, and each trial runs with every one; "
            "remove one");
}

struct Case {
  const char* lines;  // after kBase and [sweep]; the first is line 10
  const char* message;
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.lines; }

class SweepMistakeTest : public ConfigTest, public testing::WithParamInterface<Case> {};
TEST_P(SweepMistakeTest, IsExact) {
  EXPECT_EQ(mistake(kBase + "[sweep]\n" + GetParam().lines + "\n"), GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(
    Sweep, SweepMistakeTest,
    testing::Values(
        Case{"",
             "kd.toml:9:1 sweep.keys missing; write [sweep.keys] and \"train.epochs\" = [1, 2]"},
        Case{"kind = \"gird\"\nkeys = { seed = [1] }",
             "kd.toml:10:8 sweep.kind \"gird\" must be one of \"grid\", \"list\", \"random\" "
             "(default \"grid\"); did you mean \"grid\"?"},
        Case{"trials = 3\nkeys = { seed = [1] }",
             "kd.toml:10:1 sweep.trials belongs to kind = \"random\"; the values of the others "
             "make it"},
        Case{"kind = \"random\"\nkeys = { seed = [1] }",
             "kd.toml:9:1 sweep.trials missing; how many draws, as in trials = 20"},
        Case{"kind = \"list\"\nkeys = { seed = [1, 2], \"train.epochs\" = [1] }",
             "kd.toml:11:42 sweep.keys.\"train.epochs\" has 1 values and seed 2; kind = \"list\" "
             "makes trial i of value i of each key"},
        Case{"keys = { seed = 3 }",
             "kd.toml:10:17 sweep.keys.seed = 3 must be a list of values, as in [2, 4, 8]"},
        Case{"keys = { seed = { min = 1, max = 2 } }",
             "kd.toml:10:17 sweep.keys.seed must be a list of values, as in [2, 4, 8]; a range "
             "needs kind = \"random\""},
        Case{"kind = \"random\"\ntrials = 1\nkeys = { seed = { min = 0, max = 2, log = true } }",
             "kd.toml:12:17 sweep.keys.seed log needs min > 0; found 0 and 2"},
        Case{"kind = \"random\"\ntrials = 1\nkeys = { seed = { min = 0.5, max = 2, integer = true "
             "} }",
             "kd.toml:12:17 sweep.keys.seed integer needs whole min and max; found 0.5 and 2"},
        Case{
            "kind = \"random\"\ntrials = 1\nkeys = { seed = { min = 0, max = 1e300, integer = true "
            "} }",
            "kd.toml:12:17 sweep.keys.seed integer needs min and max within 2^53; found 0 and "
            "1e+300"},
        Case{"kind = \"random\"\ntrials = 1\nkeys = { seed = { min = 2, max = 2 } }",
             "kd.toml:12:17 sweep.keys.seed min must be below max; found 2 and 2"},
        Case{"keys = { \"sweep.kind\" = [\"grid\"] }",
             "kd.toml:10:10 sweep.keys.\"sweep.kind\" a trial has no such key; sweep over another, "
             "as in seed"}));

TEST_F(SweepTest, SeedsAreDistinctAndStandAlone) {
  EXPECT_THAT(load("seeds = [1, 2, 3]\n" + kSmall).seeds, ElementsAre(1, 2, 3));
  EXPECT_EQ(mistake("seeds = [1, 2, 1]\n" + kSmall),
            "kd.toml:1:16 seeds[2] = 1 given twice; each run needs its own");
  EXPECT_EQ(mistake("seeds = [-1]\n" + kSmall), "kd.toml:1:10 seeds[0] = -1 must be >= 0");
  EXPECT_EQ(mistake("seeds = 3\n" + kSmall),
            "kd.toml:1:9 seeds = 3 must be a list, as in [1, 2, 3]");
  EXPECT_EQ(mistake("seed = 1\nseeds = [2]\n" + kSmall),
            "kd.toml:1:8 seed = 1 there are seeds too; remove one");
}

}  // namespace
}  // namespace retort::host
