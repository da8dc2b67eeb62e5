#include "framework/config/experiment_file.hpp"

#include <gmock/gmock.h>

#include "framework/config/resolved.hpp"
#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using ParseTest = ConfigTest;

TEST_F(ParseTest, FillsInTheDefaults) {
  const Experiment experiment = load(kSmall);
  EXPECT_EQ(experiment.name, "kd");
  EXPECT_EQ(experiment.seed, 1u);
  EXPECT_EQ(experiment.data.batch_size, 128);
  EXPECT_FALSE(experiment.has_teacher());
  EXPECT_EQ(experiment.run.out, "runs");
  EXPECT_TRUE(experiment.student_alone);
  EXPECT_EQ(std::get<int64_t>(experiment.students[0].model.options[0]), 20);
  EXPECT_EQ(std::get<int64_t>(experiment.students[0].model.options[2]), 0);
  EXPECT_EQ(experiment.students[0].model.place.line, 4u);
}

TEST_F(ParseTest, ReadsTheData) {
  const Experiment experiment = load(
      "[data]\ndataset = \"fashion_mnist\"\nroot = \"here\"\nbatch_size = 64\ntrain_samples = 640\n"
      "augment = [\"crop(2)\", \"flip\"]\nnormalize = { mean = [0.5, 0], std = [0.25, 1] }\n"
      "[student]\nmodel = \"convnet\"\n");
  const DataConfig& data = experiment.data;
  EXPECT_EQ(std::get<std::string>(data.dataset.options[0]), "here");
  EXPECT_EQ(data.batch_size, 64);
  EXPECT_EQ(data.train_samples, 640);
  ASSERT_EQ(data.augment.size(), 2u);
  EXPECT_EQ(data.augment[0].kind, Augment::Kind::Crop);
  EXPECT_EQ(data.augment[0].padding, 2);
  EXPECT_EQ(data.augment[1].kind, Augment::Kind::Flip);
  EXPECT_THAT(data.normalize->mean, ElementsAre(0.5, 0));
  EXPECT_THAT(data.normalize->stddev, ElementsAre(0.25, 1));
}

TEST_F(ParseTest, ReadsTraining) {
  const TrainConfig train =
      load(kSmall +
           "[train]\nepochs = 200\noptimizer = { name = \"sgd\", lr = 1, nesterov = true }\n"
           "schedule = { name = \"multistep\", milestones = [100, 150], warmup_epochs = 1.5 }\n"
           "clip_norm = 5\nlabel_smoothing = 0.1\nno_decay = [\"bn\"]\n")
          .train;
  EXPECT_EQ(train.optimizer.lr, 1);
  EXPECT_TRUE(train.optimizer.nesterov);
  EXPECT_EQ(train.optimizer.momentum, 0.9);
  EXPECT_THAT(train.schedule.milestones, ElementsAre(100, 150));
  EXPECT_EQ(train.schedule.warmup_epochs, 1.5);
  EXPECT_EQ(train.clip_norm, 5);
  EXPECT_EQ(train.label_smoothing, 0.1);
  EXPECT_TRUE(train.decay_bias);
  EXPECT_FALSE(train.decay_norm);
}

TEST_F(ParseTest, TheTeacherOverridesTrainingKeyByKey) {
  const Experiment experiment =
      load(kWithTeacher +
           "train = { epochs = 9, optimizer = { lr = 0.2 } }\n"
           "[train]\nepochs = 3\noptimizer = { name = \"sgd\", lr = 0.1, momentum = 0.5 }\n");
  EXPECT_EQ(experiment.teachers[0].train.epochs, 9);
  EXPECT_EQ(experiment.teachers[0].train.optimizer.lr, 0.2);
  EXPECT_EQ(experiment.teachers[0].train.optimizer.momentum, 0.5);
  EXPECT_EQ(experiment.students[0].train.epochs, 3);
  EXPECT_EQ(experiment.students[0].train.optimizer.lr, 0.1);
}

TEST_F(ParseTest, AnotherOptimizerOfTheTeacherHasItsOwnDefaults) {
  const Experiment experiment =
      load(kWithTeacher + "train = { optimizer = \"adamw\" }\n[train]\noptimizer = { lr = 0.3 }\n");
  const OptimizerConfig& optimizer = experiment.teachers[0].train.optimizer;
  EXPECT_EQ(optimizer.kind, OptimizerConfig::Kind::AdamW);
  EXPECT_EQ(optimizer.lr, 1e-3);
  EXPECT_EQ(optimizer.weight_decay, 0.01);
}

TEST_F(ParseTest, DotHasTheDefaultsOfSgdAndADeltaThatNoOtherOptimizerHas) {
  const Experiment experiment = load(kSmall + "[train]\noptimizer = \"dot\"\n");
  const OptimizerConfig& optimizer = experiment.train.optimizer;
  EXPECT_EQ(optimizer.kind, OptimizerConfig::Kind::Dot);
  EXPECT_EQ(optimizer.lr, 0.1);
  EXPECT_EQ(optimizer.momentum, 0.9);
  EXPECT_EQ(optimizer.delta, 0.075);
  EXPECT_EQ(optimizer.weight_decay, 5e-4);
  EXPECT_THAT(to_toml(experiment), HasSubstr("\"dot\", lr = 0.1, momentum = 0.9, delta = 0.075,"));
  EXPECT_THAT(to_toml(load(kSmall)), Not(HasSubstr("delta")));
}

TEST_F(ParseTest, ADeltaThatDoesNotFitIsToldWhereItStandsAndNotOfATeacherThatInheritsIt) {
  const std::string told =
      mistakes(kWithTeacher + "[train]\noptimizer = { name = \"dot\", momentum = 0.95 }\n");
  EXPECT_THAT(told, HasSubstr(" train.optimizer.delta = 0.075 "));
  EXPECT_THAT(told, Not(HasSubstr("teacher.train")));
}

TEST_F(ParseTest, ReadsWeightsBesideTheFileThatNamesThem) {
  write("shared/w.safetensors", "x");
  write("shared/base.toml",
        kWithTeacher + "weights = \"w.safetensors\"\nrename = { \"linear\" = \"fc\" }\n");
  const Experiment experiment = load("extends = \"shared/base.toml\"\n");
  EXPECT_EQ(experiment.teachers[0].weights, folder_ / "shared/w.safetensors");
  EXPECT_EQ(experiment.teachers[0].rename.at("linear"), "fc");
  EXPECT_EQ(load(kWithTeacher, {"teacher.weights=shared/w.safetensors"}).teachers.at(0).weights,
            folder_ / "shared/w.safetensors");
}

TEST_F(ParseTest, TakesWeightsOfTheCommandLineForATeacherThatTheFileTrains) {
  write("w.safetensors", "x");
  const Experiment experiment =
      load(kWithTeacher + "train = { epochs = 2 }\n", {"teacher.weights=w.safetensors"});
  EXPECT_EQ(experiment.teachers[0].weights, folder_ / "w.safetensors");
}

TEST_F(ParseTest, ReadsWeightsOfTransfers) {
  const Experiment experiment = load(kWithTeacher +
                                     "[[transfer]]\nstrategy = \"logits.kd\"\nweight = 2\n"
                                     "[[transfer]]\nstrategy = \"feature.fitnet\"\n"
                                     "weight = { from = 100, to = 0, epochs = [1, 2.5] }\n");
  EXPECT_EQ(experiment.transfers[0].weight.to, 2);
  const WeightSchedule& weight = experiment.transfers[1].weight;
  EXPECT_EQ(weight.from, 100);
  EXPECT_EQ(weight.to, 0);
  EXPECT_EQ(weight.begin_epoch, 1);
  EXPECT_EQ(weight.end_epoch, 2.5);
}

TEST_F(ParseTest, ReadsBindingsInAllForms) {
  const auto bind = [&](const std::string& line) {
    return load(kWithTeacher + "[[transfer]]\nstrategy = \"feature.fitnet\"\n" + line + "\n")
        .transfers.at(0);
  };
  EXPECT_THAT(bind("").bind_student, ElementsAre("layer2"));
  EXPECT_THAT(bind("").bind_teacher, ElementsAre("layer2"));
  EXPECT_THAT(bind("bind = \"stem\"").bind_teacher, ElementsAre("stem"));
  EXPECT_THAT(bind("bind = [\"a\", \"b\"]").bind_student, ElementsAre("a", "b"));
  const TransferConfig both = bind("bind = { student = \"a\", teacher = [\"b\"] }");
  EXPECT_THAT(both.bind_student, ElementsAre("a"));
  EXPECT_THAT(both.bind_teacher, ElementsAre("b"));
  EXPECT_EQ(both.bind_teacher_place.column, 35u);
  const TransferConfig one = bind("bind = { teacher = \"layer3\" }");
  EXPECT_THAT(one.bind_student, ElementsAre("layer2"));
  EXPECT_THAT(one.bind_teacher, ElementsAre("layer3"));
}

TEST_F(ParseTest, ABatchRuleCountsForTheLargestBatchThereIs) {
  const std::string text =
      kWithTeacher + "[[transfer]]\nstrategy = \"relational.rkd\"\nbind = \"pooled\"\n";
  EXPECT_EQ(mistake(text, {"data.batch_size=130", "data.train_samples=64"}), "");
  EXPECT_EQ(mistake(text, {"data.batch_size=130"}),
            "command line: data.batch_size=130 data.batch_size = 130 "
            "must be a multiple of 4 for relational.rkd\n ^");
  EXPECT_EQ(mistake(text, {"data.train_samples=1"}),
            "command line: data.train_samples=1 data.train_samples = 1 "
            "must be >= 2: relational.rkd compares samples of one batch\n ^");
}

}  // namespace
}  // namespace retort::host
