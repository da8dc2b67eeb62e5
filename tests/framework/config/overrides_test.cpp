#include <gmock/gmock.h>

#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

using OverridesTest = ConfigTest;
const std::string kOneTransfer = kWithTeacher + "[[transfer]]\nstrategy = \"logits.kd\"\n";

double temperature(const Experiment& experiment) {
  return std::get<double>(experiment.transfers.at(0).strategy.options.at(0));
}

TEST_F(OverridesTest, ReachesIntoListsBothWays) {
  EXPECT_EQ(temperature(load(kOneTransfer, {"transfer[0].temperature=2"})), 2);
  EXPECT_EQ(temperature(load(kOneTransfer, {"transfer.0.temperature = 2.5"})), 2.5);
}

TEST_F(OverridesTest, ReachesIntoSeveralNetworksAndPhases) {
  const Experiment experiment =
      load(kMany, {"teacher[0].depth=32", "teacher.1.train.optimizer=adamw",
                   "student[1].views=[\"strong\", "
                   "\"default\", \"turned.4\"]",
                   "phase[2].train.schedule.min_lr=0.01", "phase[0].train.optimizer=sgd",
                   "data.views.\"turned.4\".times=2"});
  EXPECT_EQ(std::get<int64_t>(experiment.teachers[0].model.options[0]), 32);
  EXPECT_EQ(experiment.teachers[1].train.optimizer.kind, OptimizerConfig::Kind::AdamW);
  EXPECT_EQ(experiment.students[1].views[1], "default");
  EXPECT_EQ(experiment.phases[2].train.schedule.min_lr, 0.01);
  EXPECT_EQ(experiment.phases[0].train.optimizer.kind, OptimizerConfig::Kind::Sgd);
  EXPECT_EQ(experiment.data.find_view("turned.4")->times, 2);
  EXPECT_EQ(mistake(kMany, {"student.depth=8"}),
            "command line: student.depth=8 student is a list; name an entry: student[0]\n ^");
  EXPECT_EQ(mistake(kMany, {"phase[3].name=x"}),
            "command line: phase[3].name=x phase[3] there are 3, counted from 0\n ^");
}

TEST_F(OverridesTest, OneTableOfNetworksIsTheFirstOfOne) {
  const Experiment experiment =
      load(kWithTeacher, {"student[0].depth=8", "teacher[0].train.epochs=5"});
  EXPECT_EQ(std::get<int64_t>(experiment.students[0].model.options[0]), 8);
  EXPECT_EQ(experiment.teachers[0].train.epochs, 5);
  EXPECT_EQ(mistake(kSmall, {"student[1].depth=8"}),
            "command line: student[1].depth=8 student is a table, which has no \"1\"\n ^");
  EXPECT_EQ(mistake(kSmall, {"data[0].batch_size=8"}),
            "command line: data[0].batch_size=8 data is a table, which has no \"0\"\n ^");
}

TEST_F(OverridesTest, MakesTheTablesOnTheWay) {
  const Experiment experiment = load(kSmall, {"train.optimizer.lr=0.05", "train.epochs=3"});
  EXPECT_EQ(experiment.train.optimizer.lr, 0.05);
  EXPECT_EQ(experiment.train.epochs, 3);
}

TEST_F(OverridesTest, ReachesIntoAShortForm) {
  const Experiment experiment = load(kSmall + "[train]\nepochs = 9\n",
                                     {"train.schedule=cosine", "train.schedule.min_lr=0.01"});
  EXPECT_EQ(experiment.train.schedule.kind, ScheduleConfig::Kind::Cosine);
  EXPECT_EQ(experiment.train.schedule.min_lr, 0.01);
}

TEST_F(OverridesTest, TakesBareWordsAsTextAndTomlAsToml) {
  EXPECT_EQ(load(kSmall, {"name=try-1"}).name, "try-1");
  EXPECT_EQ(load(kSmall, {"name=2024-01-31"}).name, "2024-01-31");
  EXPECT_EQ(std::get<std::string>(load(kSmall, {"data.root=/usr/share/x"}).data.dataset.options[0]),
            "/usr/share/x");
  EXPECT_EQ(load(kSmall, {"data.augment=[\"flip\"]"}).data.augment.size(), 1u);
  EXPECT_FALSE(load(kSmall, {"baseline={ student_alone = false }"}).student_alone);
}

TEST_F(OverridesTest, TheLastOneCounts) {
  EXPECT_EQ(load(kSmall, {"train.epochs=3", "train.epochs=4"}).train.epochs, 4);
}

TEST_F(OverridesTest, AMistakeNamesTheOverride) {
  EXPECT_EQ(mistake(kSmall, {"student.widht=2"}),
            "command line: student.widht=2 student.widht unknown key; did you mean \"width\"? "
            "known: depth, width, shortcut\n ^");
  EXPECT_EQ(mistake(kSmall, {"train={ epochs = 0 }"}),
            "command line: train={ epochs = 0 } train.epochs = 0 must be >= 1 and <= 1000000 "
            "(default 1)\n ^");
  EXPECT_EQ(mistake(kOneTransfer, {"transfer[1].weight=2"}),
            "command line: transfer[1].weight=2 transfer[1] there are 1, counted from 0\n ^");
  EXPECT_EQ(mistake(kSmall, {"student.depth.x=2"}),
            "command line: student.depth.x=2 student.depth must be an integer, not a table "
            "(default 20)\n ^");
}

TEST_F(OverridesTest, ACaretPointsIntoTheArgument) {
  /// What stands above the caret, to the argument's end.
  const auto pointed = [&](const std::string& text) {
    const std::string told = mistakes(kOneTransfer, {text});
    const size_t line = told.find('\n') + 1;
    const size_t caret = told.find('^', line) - line;
    const size_t end = std::string("command line: ").size() + text.size();
    return told.substr(caret, end - caret);
  };
  EXPECT_EQ(pointed("student.widht=2"), "widht=2");
  EXPECT_EQ(pointed("train.epochs = -1"), "-1");
  EXPECT_EQ(pointed("train={ ema = 0.5, epochs = 0 }"), "0 }");
  EXPECT_EQ(pointed("train={ ema = 0.5, epoch = 3 }"), "epoch = 3 }");
  EXPECT_EQ(pointed("transfer[1].weight=2"), "[1].weight=2");
  EXPECT_EQ(pointed("transfer[x].weight=2"), "[x].weight=2");
  EXPECT_EQ(pointed("train..epochs=2"), ".epochs=2");
  EXPECT_EQ(pointed("seed=[1"), "[1");
  EXPECT_EQ(pointed("seed"), "");
}

TEST_F(OverridesTest, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(mistake(kSmall, {"see\x1b[31md=1"}).find('\x1b'), std::string::npos);
}

TEST_F(OverridesTest, RefusesWhatIsNoOverride) {
  EXPECT_EQ(mistake(kSmall, {"student.depth"}),
            "command line: student.depth not KEY=VALUE, as in train.epochs=3\n ^");
  for (const char* text : {"=3", "a..b=3", "a[=3", "a[x]=3", ".a=3", "a.=3", "\"a=3"}) {
    EXPECT_THAT(mistake(kSmall, {text}), testing::HasSubstr("command line: ")) << text;
  }
  for (const char* text : {"seed=", "seed=[1", "name=\"x", "seed=1\nname=\"y\""}) {
    EXPECT_THAT(mistake(kSmall, {text}), testing::HasSubstr("not a TOML value")) << text;
  }
  EXPECT_THAT(mistake(kSmall, {"extends=x.toml"}), testing::HasSubstr("belongs in a file"));
}

}  // namespace
}  // namespace retort::host
