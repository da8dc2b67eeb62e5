#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

using ExtendsTest = ConfigTest;

TEST_F(ExtendsTest, MergesTablesKeyByKey) {
  write("base.toml", kSmall + "depth = 32\nwidth = 2.5\n[train]\nepochs = 7\n");
  const Experiment experiment = load("extends = \"base.toml\"\n[student]\ndepth = 8\n");
  EXPECT_EQ(std::get<int64_t>(experiment.students[0].model.options[0]), 8);
  EXPECT_EQ(std::get<double>(experiment.students[0].model.options[1]), 2.5);
  EXPECT_EQ(experiment.train.epochs, 7);
}

TEST_F(ExtendsTest, ReplacesListsAsAWhole) {
  write("base.toml", kWithTeacher +
                         "[[transfer]]\nstrategy = \"logits.kd\"\n"
                         "[[transfer]]\nstrategy = \"logits.dkd\"\n");
  const Experiment experiment =
      load("extends = \"base.toml\"\n[[transfer]]\nstrategy = \"feature.fitnet\"\n");
  ASSERT_EQ(experiment.transfers.size(), 1u);
  EXPECT_EQ(experiment.transfers[0].name, "feature.fitnet");
}

TEST_F(ExtendsTest, AListOfNetworksReplacesTheOneBeneath) {
  write("base.toml", kWithTeacher +
                         "depth = 32\n[[transfer]]\nstrategy = \"logits.kd\"\n"
                         "[[phase]]\nname = \"beneath\"\n");
  const Experiment experiment = load(
      "extends = \"base.toml\"\n[[teacher]]\nname = \"x\"\nmodel = \"resnet\"\n[[teacher]]\n"
      "name = \"y\"\nmodel = \"resnet\"\n[[transfer]]\nstrategy = \"logits.kd\"\n"
      "teacher = [\"x\", \"y\"]\n[[phase]]\nname = \"one\"\n[[phase]]\nname = \"two\"\n");
  ASSERT_EQ(experiment.teachers.size(), 2u);
  EXPECT_EQ(std::get<int64_t>(experiment.teachers[0].model.options[0]), 20);
  EXPECT_EQ(experiment.phases.size(), 2u);
}

TEST_F(ExtendsTest, LooksBesideTheFileThatNamesIt) {
  write("shared/base.toml", "extends = \"data.toml\"\n[student]\nmodel = \"resnet\"\n");
  write("shared/data.toml", "[data]\ndataset = \"fashion_mnist\"\n");
  EXPECT_EQ(load("extends = \"shared/base.toml\"\n").data.dataset.info.id, "fashion_mnist");
}

TEST_F(ExtendsTest, PlacesNameTheFileThatHoldsTheMistake) {
  write("base.toml", kSmall + "depth = 2\n");
  EXPECT_EQ(mistake("extends = \"base.toml\"\n"),
            "base.toml:5:9 student.depth = 2 must be >= 8 (default 20)");
}

TEST_F(ExtendsTest, AnotherOptimizerStartsFromItsOwnDefaults) {
  write("base.toml",
        kSmall + "[train]\noptimizer = { name = \"sgd\", lr = 0.3, momentum = 0.5 }\n");
  const Experiment experiment = load("extends = \"base.toml\"\n[train]\noptimizer = \"adam\"\n");
  EXPECT_EQ(experiment.train.optimizer.kind, OptimizerConfig::Kind::Adam);
  EXPECT_EQ(experiment.train.optimizer.lr, 1e-3);
}

TEST_F(ExtendsTest, RefusesACircle) {
  write("a.toml", "extends = \"kd.toml\"\n");
  EXPECT_EQ(mistake("extends = \"a.toml\"\n"),
            "a.toml:1:11 extends \"kd.toml\" goes in a circle: kd.toml -> a.toml -> kd.toml");
}

TEST_F(ExtendsTest, NamesTheMissingFile) {
  EXPECT_EQ(mistake("extends = \"b.toml\"\n"),
            "kd.toml:1:11 extends \"b.toml\" not found (tried b.toml)");
  EXPECT_EQ(mistake("extends = 3\n"),
            "kd.toml:1:11 extends = 3 must be the path of another experiment file");
}

}  // namespace
}  // namespace retort::host
