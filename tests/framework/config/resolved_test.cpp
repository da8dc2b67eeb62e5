#include "framework/config/resolved.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "framework/config/blocks.hpp"
#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

using testing::ElementsAre;
using ResolvedTest = ConfigTest;

/// Every key with another value than its default.
const std::string kEverything = R"toml(
name = "all"
seed = 9223372036854775807
[data]
dataset = "fashion_mnist"
root = 'a "b" \'
batch_size = 64
train_samples = 640
validation = 0.1
mixup = 0.2
cutmix = 1
augment = ["crop(2)", "flip", "randaugment(3, 12)", "erase(0.25)"]
normalize = { mean = [0.286], std = [0.353] }
[teacher]
model = "resnet"
depth = 56
shortcut = "B"
normalize = { mean = [0.1], std = [1] }
[teacher.train]
epochs = 7
optimizer = { name = "adamw", lr = 3e-4, betas = [0.8, 0.99], eps = 1e-7, weight_decay = 0.1 }
schedule = { name = "step", step_epochs = 2, gamma = 0.5, warmup_epochs = 0.5 }
clip_norm = 1.5
[student]
model = "resnet"
width = 12345678901234567890.0
weights = "w.safetensors"
rename = { "linear.x" = "fc", a = "b" }
[task]
loss = "cross_entropy"
weight = 0.1
[[transfer]]
strategy = "logits.kd"
weight = 0.9
temperature = 0.1
[[transfer]]
strategy = "relational.rkd"
name = "mine"
squared = true
weight = { from = 100, to = 0, epochs = [1, 2.5] }
bind = { student = ["a", "b"], teacher = ["c", "d"] }
[train]
epochs = 300
optimizer = { name = "sgd", lr = 0.3, momentum = 0.8, nesterov = true, weight_decay = 0.001 }
schedule = { name = "multistep", milestones = [150, 180], gamma = 0.2, warmup_epochs = 1 }
label_smoothing = 0.05
no_decay = ["bias", "bn"]
eval_batch_size = 100
accumulate = 4
ema = 0.999
early_stop = 20
non_finite = "rollback"
[run]
device = "cuda"
precision = "bf16"
channels_last = false
threads = 3
out = "elsewhere"
deterministic = true
checkpoint_steps = 50
tensorboard = true
[baseline]
student_alone = false
[sweep]
kind = "random"
trials = 12
[sweep.keys]
"transfer[0].temperature" = [2, 4.5]
"student.shortcut" = ["A", "B"]
"train.optimizer.lr" = { min = 1e-3, max = 0.1, log = true }
"train.epochs" = { min = 200, max = 300, integer = true }
)toml";

TEST_F(ResolvedTest, ReadsBackToTheSameText) {
  write("w.safetensors", "x");
  const std::string once = to_toml(load(kEverything));
  write("elsewhere/experiment.toml", once);
  EXPECT_EQ(to_toml(load_experiment("elsewhere/experiment.toml", {}, catalog_)), once);
  const std::string dot =
      to_toml(load(kSmall, {"train.optimizer={ name = \"dot\", momentum = 0.8, delta = 0.1 }"}));
  EXPECT_THAT(dot, testing::HasSubstr("momentum = 0.8, delta = 0.1, weight_decay = 5e-04 }"));
  EXPECT_EQ(to_toml(load(dot)), dot);
}

TEST_F(ResolvedTest, KeepsNetworksAndData) {
  write("w.safetensors", "x");
  const Experiment back = load(to_toml(load(kEverything)));
  EXPECT_EQ(back.name, "all");
  EXPECT_EQ(back.seed, 9223372036854775807u);
  EXPECT_EQ(std::get<std::string>(back.data.dataset.options[0]), "a \"b\" \\");
  EXPECT_EQ(back.data.batch_size, 64);
  EXPECT_EQ(back.data.train_samples, 640);
  EXPECT_EQ(back.data.validation, 0.1);
  EXPECT_EQ(back.data.mixup, 0.2);
  EXPECT_EQ(back.data.cutmix, 1);
  ASSERT_EQ(back.data.augment.size(), 4u);
  EXPECT_EQ(back.data.augment[0].padding, 2);
  EXPECT_EQ(back.data.augment[2].operations, 3);
  EXPECT_EQ(back.data.augment[2].magnitude, 12);
  EXPECT_EQ(back.data.augment[3].probability, 0.25);
  EXPECT_THAT(back.data.normalize->stddev, ElementsAre(0.353));
  EXPECT_EQ(std::get<int64_t>(back.teachers[0].model.options[0]), 56);
  EXPECT_EQ(std::get<int64_t>(back.teachers[0].model.options[2]), 1);
  EXPECT_THAT(back.teachers[0].normalize->mean, ElementsAre(0.1));
  EXPECT_EQ(std::get<double>(back.students[0].model.options[1]), 12345678901234567890.0);
  EXPECT_EQ(back.students[0].weights, folder_ / "w.safetensors");
  EXPECT_EQ(back.students[0].rename.at("linear.x"), "fc");
}

TEST_F(ResolvedTest, KeepsTraining) {
  write("w.safetensors", "x");
  const Experiment back = load(to_toml(load(kEverything)));
  const TrainConfig& teacher = back.teachers[0].train;
  EXPECT_EQ(teacher.epochs, 7);
  EXPECT_EQ(teacher.optimizer.kind, OptimizerConfig::Kind::AdamW);
  EXPECT_EQ(teacher.optimizer.beta1, 0.8);
  EXPECT_EQ(teacher.optimizer.eps, 1e-7);
  EXPECT_EQ(teacher.schedule.step_epochs, 2);
  EXPECT_EQ(teacher.clip_norm, 1.5);
  EXPECT_FALSE(teacher.decay_bias);  // from [train]
  EXPECT_EQ(back.train.optimizer.momentum, 0.8);
  EXPECT_TRUE(back.train.optimizer.nesterov);
  EXPECT_EQ(back.train.optimizer.weight_decay, 0.001);
  EXPECT_THAT(back.train.schedule.milestones, ElementsAre(150, 180));
  EXPECT_EQ(back.train.schedule.gamma, 0.2);
  EXPECT_EQ(back.train.label_smoothing, 0.05);
  EXPECT_FALSE(back.train.decay_norm);
  EXPECT_EQ(back.train.eval_batch_size, 100);
  EXPECT_EQ(back.train.accumulate, 4);
  EXPECT_EQ(back.train.ema, 0.999);
  EXPECT_EQ(teacher.early_stop, 20);
  EXPECT_EQ(back.train.non_finite, NonFinite::Rollback);
}

TEST_F(ResolvedTest, KeepsTransfersAndTheRun) {
  write("w.safetensors", "x");
  const Experiment back = load(to_toml(load(kEverything)));
  EXPECT_EQ(back.task.weight, 0.1);
  ASSERT_EQ(back.transfers.size(), 2u);
  EXPECT_EQ(std::get<double>(back.transfers[0].strategy.options[0]), 0.1);
  EXPECT_EQ(back.transfers[0].weight.from, 0.9);
  EXPECT_EQ(back.transfers[1].name, "mine");
  EXPECT_TRUE(std::get<bool>(back.transfers[1].strategy.options[0]));
  EXPECT_EQ(back.transfers[1].weight.end_epoch, 2.5);
  EXPECT_THAT(back.transfers[1].bind_teacher, ElementsAre("c", "d"));
  EXPECT_EQ(back.run.device, DeviceChoice::Cuda);
  EXPECT_EQ(back.run.precision, Precision::Bf16);
  EXPECT_FALSE(back.run.channels_last);
  EXPECT_EQ(back.run.threads, 3);
  EXPECT_EQ(back.run.out, "elsewhere");
  EXPECT_TRUE(back.run.deterministic);
  EXPECT_EQ(back.run.checkpoint_steps, 50);
  EXPECT_TRUE(back.run.tensorboard);
  EXPECT_FALSE(back.student_alone);
}

TEST_F(ResolvedTest, KeepsSeedsAndTheSweep) {
  write("w.safetensors", "x");
  const Experiment back = load(to_toml(load(kEverything)));
  EXPECT_TRUE(back.seeds.empty());
  ASSERT_TRUE(back.sweep.has_value());
  EXPECT_EQ(back.sweep->kind, SweepConfig::Kind::Random);
  EXPECT_EQ(back.sweep->trials, 12);
  ASSERT_EQ(back.sweep->keys.size(), 4u);
  const SweepKey& epochs = *std::find_if(back.sweep->keys.begin(), back.sweep->keys.end(),
                                         [](const SweepKey& k) { return k.key == "train.epochs"; });
  EXPECT_EQ(epochs.max, 300);
  EXPECT_TRUE(epochs.integer);
  EXPECT_FALSE(epochs.log);
  const Experiment seeded = load(to_toml(load("seeds = [3, 1]\n" + kSmall)));
  EXPECT_THAT(seeded.seeds, ElementsAre(3, 1));
  EXPECT_EQ(seeded.seed, 3u);
}

TEST_F(ResolvedTest, DefaultsReadBackToo) {
  const std::string once = to_toml(load(kSmall));
  EXPECT_EQ(to_toml(load(once)), once);
  EXPECT_THAT(once, testing::HasSubstr("[student]\nmodel = \"resnet\"\ndepth = 20\nwidth = 1\n"));
}

TEST_F(ResolvedTest, SeveralOfAllReadBackToTheSameText) {
  const std::string many =
      kMany + "[baseline]\nstudent_alone = true\n[sweep.keys]\n\"phase[0].train.epochs\" = [1]\n";
  const std::string once = to_toml(load(many, {"teacher[1].depth=14", "phase[1].train.epochs=9"}));
  const Experiment back = load(once);
  EXPECT_EQ(to_toml(back), once);
  EXPECT_EQ(std::get<int64_t>(back.teachers.at(1).model.options[0]), 14);
  EXPECT_EQ(back.teachers[0].name, "big");
  EXPECT_EQ(back.teachers[0].mode, TeacherMode::Train);
  EXPECT_EQ(back.teachers[0].train.epochs, 7);
  EXPECT_EQ(back.teachers[1].train.epochs, 3);
  EXPECT_THAT(back.students.at(1).views, ElementsAre("strong", "turned.4", "default"));
  EXPECT_EQ(back.data.find_view("large")->like, "default");
  EXPECT_EQ(back.data.find_view("large")->size, 224);
  EXPECT_EQ(back.data.find_view("strong")->augment.size(), 2u);
  EXPECT_EQ(back.data.find_view("turned.4")->times, 4);
  EXPECT_THAT(back.transfers.at(1).teachers, ElementsAre("wide", "big"));
  EXPECT_EQ(back.transfers[2].view_student, "default");
  EXPECT_EQ(back.transfers[3].view_student, "strong");
  EXPECT_EQ(back.transfers[3].view_teacher, "default");
  EXPECT_EQ(back.transfers[4].view_student, "turned.4");
  ASSERT_EQ(back.phases.size(), 3u);
  EXPECT_EQ(back.phases[0].learn.at(0).up_to, "layer2");
  EXPECT_FALSE(back.phases[0].task);
  EXPECT_THAT(back.phases[0].modules, ElementsAre("hint"));
  EXPECT_EQ(back.phases[1].train.epochs, 9);
  EXPECT_EQ(back.phases[2].learn.size(), 2u);
  EXPECT_TRUE(back.student_alone);
}

TEST_F(ResolvedTest, AListOfOneIsWrittenAsATable) {
  const std::string text =
      "[data]\ndataset = \"fashion_mnist\"\n[[student]]\nname = \"small\"\nmodel = \"resnet\"\n"
      "[sweep.keys]\n\"student[0].depth\" = [8, 14]\n";
  const std::string once = to_toml(load(text));
  EXPECT_THAT(once, testing::HasSubstr("\n[student]\nname = \"small\"\nmodel = \"resnet\"\n"));
  EXPECT_EQ(to_toml(load(once)), once);
}

/// Folders of earlier versions and kept teachers are found by these bytes.
TEST_F(ResolvedTest, WhatIsUsualIsWrittenAsBeforeThereWereSeveral) {
  const std::string given =
      "[[transfer]]\nstrategy = \"logits.kd\"\nstudent = \"student\"\nteacher = \"teacher\"\n"
      "view = \"default\"\n";
  const std::string text = to_toml(load(
      kWithTeacher + "name = \"teacher\"\nviews = [\"default\"]\nmode = \"evaluate\"\n" + given));
  EXPECT_EQ(text, to_toml(load(kWithTeacher + "[[transfer]]\nstrategy = \"logits.kd\"\n")));
  EXPECT_EQ(text.substr(0, text.find("[teacher.train]")),
            "name = \"kd\"\nseed = 1\n\n[data]\ndataset = \"fashion_mnist\"\nroot = \"\"\n"
            "batch_size = 128\ntrain_samples = 0\nvalidation = 0\nmixup = 0\ncutmix = 0\n"
            "augment = []\n\n[teacher]\nmodel = \"resnet\"\ndepth = 20\nwidth = 1\n"
            "shortcut = \"A\"\n\n");
  const size_t student = text.find("\n[student]");
  EXPECT_EQ(text.substr(student, text.find("\n[train]") - student),
            "\n[student]\nmodel = \"resnet\"\ndepth = 20\nwidth = 1\nshortcut = \"A\"\n\n[task]\n"
            "loss = \"cross_entropy\"\nweight = 1\n\n[[transfer]]\nstrategy = \"logits.kd\"\n"
            "name = \"logits.kd\"\nweight = 1\ntemperature = 4\n");
}

TEST(OptionBlock, IsReadyToPaste) {
  EXPECT_EQ(option_block(resnet()),
            "[student]\nmodel = \"resnet\"\n"
            "depth = 20      # integer >= 8; 6 n + 2 layers\n"
            "width = 1       # > 0\n"
            "shortcut = \"A\"  # one of A, B; identity with zeros, or a projection\n");
  EXPECT_EQ(option_block(fitnet()),
            "[[transfer]]\nstrategy = \"feature.fitnet\"\n"
            "weight = 1         # or { from = 1, to = 0, epochs = [1, 2] }\n"
            "bind = [\"layer2\"]  # the taps that are compared\n");
  OptionInfo classes = option("classes", RETORT_OPTION_INT, 0, RETORT_OPTION_REQUIRED);
  EXPECT_EQ(option_block(component(RETORT_KIND_DATASET, "cifar", {classes})),
            "[data]\ndataset = \"cifar\"\n# classes =  # required: integer\n");
}

}  // namespace
}  // namespace retort::host
