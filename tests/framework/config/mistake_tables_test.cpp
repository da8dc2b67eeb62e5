// One mistake of a key each, with its whole message.
#include <gmock/gmock.h>

#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

struct Case {
  const char* line;  // appended to kSmall, so the first line is the fifth
  const char* message;
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.line; }

class OneMistakeTest : public ConfigTest, public testing::WithParamInterface<Case> {
 protected:
  void expect_with(const std::string& before) {
    EXPECT_EQ(mistake(before + GetParam().line + "\n"), GetParam().message);
  }
};

class StudentMistakeTest : public OneMistakeTest {};
TEST_P(StudentMistakeTest, IsExact) { expect_with(kSmall); }
INSTANTIATE_TEST_SUITE_P(
    Student, StudentMistakeTest,
    testing::Values(
        Case{"depth = 8.5",
             "kd.toml:5:9 student.depth = 8.5 must be an integer, not a real number (default 20)"},
        Case{"depth = 20.0",
             "kd.toml:5:9 student.depth = 20 must be an integer, not a real number; write 20"},
        Case{"width = \"2\"",
             "kd.toml:5:9 student.width \"2\" must be a number, not text (default 1)"},
        Case{"width = nan", "kd.toml:5:9 student.width = nan must be a finite number (default 1)"},
        Case{"width = -inf",
             "kd.toml:5:9 student.width = -inf must be a finite number (default 1)"},
        Case{"shortcut = \"a\"",
             "kd.toml:5:12 student.shortcut \"a\" must be one of \"A\", \"B\" (default \"A\"); did "
             "you mean \"A\"?"},
        Case{"zzzzzz = 1",
             "kd.toml:5:1 student.zzzzzz unknown key known: depth, width, shortcut, model, name, "
             "weights, rename, normalize, views"},
        Case{"weigths = \"x\"",
             "kd.toml:5:1 student.weigths unknown key; did you mean \"weights\"? known: model, "
             "name, weights, rename, normalize, views"},
        Case{"mode = \"train\"",
             "kd.toml:5:1 student.mode a student is trained in training mode; only a teacher has a "
             "choice"},
        Case{"train = { epochs = 2 }",
             "kd.toml:5:1 student.train the student is trained as [train] says; move the keys "
             "there"},
        Case{"weights = \"w.safetensors\"",
             "kd.toml:5:11 student.weights \"w.safetensors\" not found (tried w.safetensors); a "
             "path is relative to the file it stands in"},
        Case{"rename = { a = \"b\" }",
             "kd.toml:5:10 student.rename renames parameters of a weights file; there is no "
             "weights key"},
        Case{"normalize = { mean = [0.5] }",
             "kd.toml:5:13 student.normalize needs both, one value a channel, of pixels in 0 to 1: "
             "{ mean = [0.5], std = [0.25] }"},
        Case{
            "normalize = { mean = [0.5, 0.5], std = [1] }",
            "kd.toml:5:13 student.normalize mean has 2 values and std 1; each needs one a channel"},
        Case{"normalize = { mean = [128], std = [1] }",
             "kd.toml:5:23 student.normalize.mean[0] = 128 must be >= 0 and <= 1"}));

class RootMistakeTest : public OneMistakeTest {};
TEST_P(RootMistakeTest, IsExact) {
  expect_with("\n" + std::string(GetParam().line[0] == '[' ? kSmall : ""));
}
INSTANTIATE_TEST_SUITE_P(
    Sections, RootMistakeTest,
    testing::Values(
        Case{"[trian]",
             "kd.toml:6:2 trian unknown key; did you mean \"train\"? known: extends, name, seed, "
             "seeds, data, train, transfer, teacher, student, task, phase, run, baseline, sweep"},
        Case{"[transfer]",
             "kd.toml:6:1 transfer must be a list: write [[transfer]] above each strategy"},
        Case{"[[teacher]]", "kd.toml:6:1 teacher[0].model missing; one of: convnet, resnet"},
        Case{"[task]\nloss = \"mse\"",
             "kd.toml:7:8 task.loss \"mse\" must be one of \"cross_entropy\" (default "
             "\"cross_entropy\")"},
        Case{"[task]\nweight = 0",
             "kd.toml:7:10 task.weight = 0 no [[transfer]] has a weight either: the student would "
             "learn nothing"},
        Case{"[run]\ndevice = \"gpu\"",
             "kd.toml:7:10 run.device \"gpu\" must be one of \"auto\", \"cpu\", \"cuda\" (default "
             "\"auto\"); did you mean \"cpu\"?"},
        Case{"[run]\nthreads = -1",
             "kd.toml:7:11 run.threads = -1 must be >= 0 and <= 1024 (default 0)"},
        Case{"[run]\nout = \"\"", "kd.toml:7:7 run.out \"\" must name a folder (default \"runs\")"},
        Case{"[baseline]\nstudent_alone = 1",
             "kd.toml:7:17 baseline.student_alone = 1 must be true or false, not an integer "
             "(default true)"}));

class TrainMistakeTest : public OneMistakeTest {};
TEST_P(TrainMistakeTest, IsExact) { expect_with(kSmall + "[train]\n"); }
INSTANTIATE_TEST_SUITE_P(
    Train, TrainMistakeTest,
    testing::Values(
        Case{"epochs = \"three\"",
             "kd.toml:6:10 train.epochs \"three\" must be an integer, not text (default 1)"},
        Case{"accumulate = 0",
             "kd.toml:6:14 train.accumulate = 0 must be >= 1 and <= 1048576 (default 1)"},
        Case{"ema = 1", "kd.toml:6:7 train.ema = 1 must be >= 0 and < 1 (default 0)"},
        Case{"early_stop = -1", "kd.toml:6:14 train.early_stop = -1 must be >= 0 (default 0)"},
        Case{"non_finite = \"stopp\"",
             "kd.toml:6:14 train.non_finite \"stopp\" must be one of \"stop\", \"skip\", "
             "\"rollback\" (default \"stop\"); did you mean \"stop\"?"},
        Case{"clip_norm = 0",
             "kd.toml:6:13 train.clip_norm = 0 must be > 0; leave it out to clip nothing"},
        Case{"label_smoothing = 1",
             "kd.toml:6:19 train.label_smoothing = 1 must be >= 0 and < 1 (default 0)"},
        Case{"no_decay = [\"bias\", \"norm\"]",
             "kd.toml:6:21 train.no_decay[1] \"norm\" must be one of \"bias\", \"bn\""},
        Case{"optimizer = \"sdg\"",
             "kd.toml:6:13 train.optimizer.name \"sdg\" must be one of \"sgd\", \"adam\", "
             "\"adamw\", \"dot\" (default \"sgd\"); did you mean \"sgd\"?"},
        Case{"optimizer = { lr = 0 }",
             "kd.toml:6:20 train.optimizer.lr = 0 must be > 0 (default 0.1)"},
        Case{"optimizer = { name = \"adam\", momentum = 0.9 }",
             "kd.toml:6:30 train.optimizer.momentum adam has none; sgd and dot do"},
        Case{"optimizer = { name = \"dot\", nesterov = true }",
             "kd.toml:6:29 train.optimizer.nesterov dot has none; sgd does"},
        Case{"optimizer = { name = \"dot\", eps = 1e-8 }",
             "kd.toml:6:29 train.optimizer.eps dot has none; adam and adamw do"},
        Case{"optimizer = { delta = 0.075 }",
             "kd.toml:6:15 train.optimizer.delta sgd has none; dot does"},
        Case{"optimizer = { name = \"dot\", delta = -0.1 }",
             "kd.toml:6:37 train.optimizer.delta = -0.1 must be >= 0 and < 1 (default 0.075)"},
        Case{"optimizer = { name = \"dot\", delta = 0.1 }",
             "kd.toml:6:37 train.optimizer.delta = 0.1 must be <= momentum and < 1 - momentum; "
             "momentum is 0.9"},
        Case{"optimizer = { name = \"dot\", momentum = 0.05 }",
             "kd.toml:6:40 train.optimizer.delta = 0.075 must be <= momentum and < 1 - momentum; "
             "momentum is 0.05"},
        Case{"optimizer = { momentum = 0, nesterov = true }",
             "kd.toml:6:40 train.optimizer.nesterov = true needs momentum > 0"},
        Case{"schedule = { name = \"multistep\" }",
             "kd.toml:6:12 train.schedule.milestones missing; the epochs at which the rate drops, "
             "as in [150, 180]"},
        Case{"schedule = { name = \"multistep\", milestones = [5, 5] }",
             "kd.toml:6:51 train.schedule.milestones[1] = 5 must be above the one before"},
        Case{"schedule = { name = \"cosine\", gamma = 0.1 }",
             "kd.toml:6:31 train.schedule.gamma cosine has none; step and multistep do"},
        Case{"schedule = { name = \"cosine\", warmup_epochs = 1 }",
             "kd.toml:6:47 train.schedule.warmup_epochs = 1 the warm-up must end before the "
             "training does, after epoch 1"}));

class DataMistakeTest : public OneMistakeTest {};
TEST_P(DataMistakeTest, IsExact) {
  expect_with("[student]\nmodel = \"resnet\"\n[data]\ndataset = \"fashion_mnist\"\n");
}
INSTANTIATE_TEST_SUITE_P(
    Data, DataMistakeTest,
    testing::Values(
        Case{"augment = [\"crop(2)\", \"flop\"]",
             "kd.toml:5:23 data.augment[1] \"flop\" unknown step; did you mean \"flip\"? known: "
             "crop(padding), flip, randaugment(operations, magnitude), erase(probability), "
             "rotations"},
        Case{"augment = [\"rotations(4)\"]",
             "kd.toml:5:12 data.augment[0] \"rotations(4)\" takes no argument; write "
             "\"rotations\""},
        Case{"augment = [\"randaugment(2)\"]",
             "kd.toml:5:12 data.augment[0] \"randaugment(2)\" needs 1 to 16 operations and a "
             "magnitude of 0 to 30; write \"randaugment(2, 9)\""},
        Case{"augment = [\"randaugment(2, 31)\"]",
             "kd.toml:5:12 data.augment[0] \"randaugment(2, 31)\" needs 1 to 16 operations and a "
             "magnitude of 0 to 30; write \"randaugment(2, 9)\""},
        Case{"augment = [\"flip\", \"erase(0.25)\", \"crop(2)\"]",
             "kd.toml:5:20 data.augment[1] \"erase(0.25)\" is step 2 of 3; it blanks the "
             "normalised image, so put it last"},
        Case{"augment = [\"erase(1.5)\"]",
             "kd.toml:5:12 data.augment[0] \"erase(1.5)\" needs a probability > 0 and <= 1; write "
             "\"erase(0.25)\""},
        Case{"validation = 0.95",
             "kd.toml:5:14 data.validation = 0.95 must be >= 0 and <= 0.9 (default 0)"},
        Case{"mixup = inf", "kd.toml:5:9 data.mixup = inf must be a finite number (default 0)"},
        Case{"cutmix = -1", "kd.toml:5:10 data.cutmix = -1 must be >= 0 (default 0)"},
        Case{"augment = [\"crop(0)\"]",
             "kd.toml:5:12 data.augment[0] \"crop(0)\" pads by >= 1 and <= 1024 pixels"},
        Case{
            "augment = [\"crop\"]",
            "kd.toml:5:12 data.augment[0] \"crop\" needs its padding in pixels; write \"crop(4)\""},
        Case{"augment = [\"crop(2\"]",
             "kd.toml:5:12 data.augment[0] \"crop(2\" needs its padding in pixels; write "
             "\"crop(4)\""},
        Case{"augment = [\"flip(1)\"]",
             "kd.toml:5:12 data.augment[0] \"flip(1)\" takes no argument; write \"flip\""},
        Case{"augment = \"flip\"",
             "kd.toml:5:11 data.augment \"flip\" must be a list of texts, not text"},
        Case{"batch_size = 0",
             "kd.toml:5:14 data.batch_size = 0 must be >= 1 and <= 1048576 (default 128)"},
        Case{"root = 3",
             "kd.toml:5:8 data.root = 3 must be text in quotes, not an integer (default \"\")"}));

class TransferMistakeTest : public OneMistakeTest {};
TEST_P(TransferMistakeTest, IsExact) { expect_with(kWithTeacher + "[[transfer]]\n"); }
INSTANTIATE_TEST_SUITE_P(
    Transfer, TransferMistakeTest,
    testing::Values(
        Case{"strategy = \"resnet\"",
             "kd.toml:8:12 transfer[0].strategy \"resnet\" is a model, not a strategy"},
        Case{"strategy = \"nothing_like_it\"",
             "kd.toml:8:12 transfer[0].strategy \"nothing_like_it\" in no plugin; known: "
             "feature.fitnet, logits.dkd, logits.kd, logits.tf_kd, relational.rkd"},
        Case{"strategy = \"logits.kd\"\nbind = \"layer2\"",
             "kd.toml:9:1 transfer[0].bind logits.kd takes no features; remove it"},
        Case{"strategy = \"logits.kd\"\nweight = -1",
             "kd.toml:9:10 transfer[0].weight = -1 must be >= 0 (default 1)"},
        Case{"strategy = \"logits.kd\"\nweight = \"1\"",
             "kd.toml:9:10 transfer[0].weight \"1\" must be a number or { from = 100, to = 0, "
             "epochs = [1, 2] }, not text"},
        Case{"strategy = \"logits.kd\"\nweight = { from = 1, to = 0 }",
             "kd.toml:9:10 transfer[0].weight.epochs missing; write { from = 100, to = 0, epochs = "
             "[1, 2] }"},
        Case{"strategy = \"logits.kd\"\nweight = { from = 1, to = 0, epochs = [2, 1] }",
             "kd.toml:9:39 transfer[0].weight.epochs must be two epochs, the first not above the "
             "second, as in [1, 2]"},
        Case{"strategy = \"logits.kd\"\ninit = { epochs = 3 }",
             "kd.toml:9:1 transfer[0].init unknown key known: temperature, strategy, weight, "
             "student, "
             "teacher, view, name, bind"},
        Case{"strategy = \"logits.kd\"\nname = \"a/b\"",
             "kd.toml:9:8 transfer[0].name \"a/b\" must be letters, digits, \".\", \"_\" and "
             "\"-\", at most 100 and none of \".-\" first: it names files"},
        Case{"strategy = \"logits.kd\"\n[[transfer]]\nstrategy = \"logits.kd\"",
             "kd.toml:10:12 transfer[1].strategy \"logits.kd\" an earlier transfer has this name; "
             "give one of them another: name = \"logits.kd.2\""},
        Case{"strategy = \"relational.rkd\"",
             "kd.toml:7:1 transfer[0].bind missing; relational.rkd takes features and has no "
             "default: bind = \"layer2\""},
        Case{"strategy = \"relational.rkd\"\nbind = { student = \"a\" }",
             "kd.toml:9:8 transfer[0].bind.teacher missing; relational.rkd takes features and has "
             "no default: bind = \"layer2\""},
        Case{"strategy = \"feature.fitnet\"\nbind = []",
             "kd.toml:9:8 transfer[0].bind must name at least one tap"},
        Case{"strategy = \"feature.fitnet\"\nbind = [\"\"]",
             "kd.toml:9:9 transfer[0].bind[0] \"\" must name a tap, as in \"layer2\""},
        Case{"strategy = \"feature.fitnet\"\nbind = { student = [\"a\", \"b\"], teacher = \"c\" }",
             "kd.toml:9:8 transfer[0].bind student has 2 (a, b) and teacher 1 (c); they are "
             "compared in pairs"}));

}  // namespace
}  // namespace retort::host
