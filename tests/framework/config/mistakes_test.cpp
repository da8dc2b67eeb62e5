#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

using testing::HasSubstr;
using MistakesTest = ConfigTest;

TEST_F(MistakesTest, AreToldAllAtOnceInColumns) {
  const std::string text =
      "[data]\ndataset = \"fashion_mnist\"\n[teacher]\nmodel = \"resnet\"\n\n"
      "[student]\nmodel = \"resnet\"\ndepth = 8\nwidht = 2\n\n"
      "[[transfer]]\nstrategy = \"logits.kd\"\nweight = 0.9\ntemperature = -2\n\n"
      "[[transfer]]\nstrategy = \"logits.dk\"\n";
  EXPECT_EQ(mistakes(text),
            "kd.toml:9:1    student.widht                  unknown key; did you mean \"width\"?"
            "  known: depth, width, shortcut\n"
            "kd.toml:14:15  transfer[0].temperature = -2   must be > 0 (default 4)\n"
            "kd.toml:17:12  transfer[1].strategy \"logits.dk\"   in no plugin; did you mean "
            "\"logits.dkd\"?\n"
            "3 mistakes; nothing was started.");
}

TEST_F(MistakesTest, OfSyntaxAreSaidInPlainWords) {
  EXPECT_EQ(mistake("name = kd\n"),
            "kd.toml:1:8 not TOML: in this value: not a value; text is written in quotes, truth as "
            "true or false\n name = kd\n ^");
  EXPECT_THAT(mistake("name = \"x"), HasSubstr("in this string: the file ends too early"));
}

TEST_F(MistakesTest, OfSyntaxShowTheLineWithACaret) {
  EXPECT_THAT(mistakes("seed = 1\n\tname = \"ü\" x\n"),
              HasSubstr("\n     name = \"ü\" x\n                ^\n1 mistake"));
  const std::string told = mistakes("long = [" + std::string(300, ' ') + "x]\n");
  const size_t caret = told.find('^');
  ASSERT_NE(caret, std::string::npos);
  const size_t line = told.find('\n') + 1;
  EXPECT_EQ(told[line + caret - told.find('\n', line) - 1], 'x') << told;
  EXPECT_LT(told.find('\n', line) - line, 100u);
}

TEST_F(MistakesTest, OfAKeyGivenTwiceNameBothPlaces) {
  const auto told = [&](const std::string& text) {
    const std::string all = mistake(text);
    return all.substr(0, all.find('\n'));
  };
  const std::string twice = " not TOML: in this key-value pair: given twice: there is already the ";
  EXPECT_EQ(told("a = 1\na = 2\n"), "kd.toml:2:5" + twice + "integer 'a'; first at kd.toml:1:1");
  EXPECT_THAT(
      told("[run]\nx = 0\n[data]\n# x = 9\nxx = 1\n  x = 2\ny = 3\nx = 4\n"),
      testing::AllOf(HasSubstr("kd.toml:8:5"), testing::EndsWith("; first at kd.toml:6:3")));
  EXPECT_THAT(told("[data]\na = 1\n[run]\n[data]\n"),
              testing::AllOf(HasSubstr("kd.toml:4:"), testing::EndsWith("; first at kd.toml:1:2")));
  EXPECT_THAT(told("a = 1\nb = { c = 1, a = 2, a = 3 }\n"),
              testing::EndsWith("; first at kd.toml:2:14"));
}

TEST_F(MistakesTest, OfTheFileItselfNameThePathTried) {
  const Catalog catalog = installed();
  try {
    load_experiment("none.toml", {}, catalog);
    FAIL() << "a missing file was accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("none.toml  not found (tried " + folder_.string()));
  }
  EXPECT_THROW(load_experiment(".", {}, catalog), ConfigError);
  EXPECT_THAT(mistake(std::string(2 << 20, '\n')), HasSubstr("larger than 1 MiB"));
}

TEST_F(MistakesTest, OfMissingSectionsSayWhatToAdd) {
  EXPECT_EQ(mistakes(""),
            "kd.toml  data      missing; add [data] with dataset = \"...\"\n"
            "kd.toml  student   missing; add [student] with a model\n"
            "2 mistakes; nothing was started.");
  EXPECT_EQ(mistake(kSmall + "[[transfer]]\nstrategy = \"logits.kd\"\n"),
            "kd.toml teacher missing, and transfer[0] needs one; add [teacher] with a model");
}

TEST_F(MistakesTest, OfMissingKeysListWhatThereIs) {
  EXPECT_EQ(mistake("[data]\ndataset = \"fashion_mnist\"\n[student]\n"),
            "kd.toml:3:1 student.model missing; one of: convnet, resnet");
  EXPECT_EQ(mistake("[data]\n[student]\nmodel = \"resnet\"\n"),
            "kd.toml:1:1 data.dataset missing; one of: cifar, fashion_mnist");
  EXPECT_EQ(mistake("[data]\ndataset = \"cifar\"\n[student]\nmodel = \"resnet\"\n"),
            "kd.toml:1:1 data.classes missing; cifar needs it: an integer, 10 or 100");
}

TEST_F(MistakesTest, OfAnUnknownComponentNameTheKeysThatCouldNotBeChecked) {
  EXPECT_EQ(
      mistakes("[data]\ndataset = \"fashion_mnits\"\nbatch_size = -1\nroot = 3\nviews = 1\n"
               "[student]\nwidth = 2\n[teacher]\nmodel = 7\ndepht = 8\n"
               "[[transfer]]\nstrategy = \"logits.dk\"\nname = \"a/b\"\nweight = 1\nt = 4\n"),
      "kd.toml:2:11   data.dataset \"fashion_mnits\"   in no plugin; did you mean "
      "\"fashion_mnist\"?; its options could not be checked: root\n"
      "kd.toml:3:14   data.batch_size = -1           must be >= 1 and <= 1048576 (default 128)\n"
      "kd.toml:5:9    data.views = 1                 must be a table, not an integer\n"
      "kd.toml:6:1    student.model                  missing; one of: convnet, resnet; its "
      "options could not be checked: width\n"
      "kd.toml:9:9    teacher.model = 7              must be text in quotes, not an integer; "
      "its options could not be checked: depht\n"
      "kd.toml:12:12  transfer[0].strategy \"logits.dk\"   in no plugin; did you mean "
      "\"logits.dkd\"?; its options could not be checked: t\n"
      "kd.toml:13:8   transfer[0].name \"a/b\"         must be letters, digits, \".\", \"_\" and "
      "\"-\", at most 100 and none of \".-\" first: it names files\n"
      "7 mistakes; nothing was started.");
}

TEST_F(MistakesTest, OfAFileThatIsNoPlainFileAreToldAtOnce) {
  ASSERT_EQ(mkfifo("pipe.toml", 0600), 0);
  const auto told = [&](const char* file) {
    return test::message_of<ConfigError>([&] { load_experiment(file, {}, catalog_); });
  };
  EXPECT_THAT(told("pipe.toml"), HasSubstr("a pipe; name a plain TOML file"));
  EXPECT_THAT(told("/dev/zero"), HasSubstr("a device; name a plain TOML file"));
  EXPECT_THAT(mistake("extends = \"pipe.toml\"\n" + kSmall),
              HasSubstr("kd.toml:1:11 extends \"pipe.toml\" a pipe; name a plain TOML file"));
}

TEST_F(MistakesTest, OfAStrategyWithLabelsBesideMixedImages) {
  const std::string text = "[data]\ndataset = \"fashion_mnist\"\nmixup = 0.2\ncutmix = 1\n" +
                           kWithTeacher.substr(kWithTeacher.find("[student]"));
  EXPECT_EQ(mistake(text + "[[transfer]]\nstrategy = \"logits.kd\"\n"), "");
  const std::string labelled = text + "[[transfer]]\nstrategy = \"logits.dkd\"\nname = \"mine\"\n";
  const std::string why =
      " gives an image two labels, and mine would be handed one of them alone; set it to 0, or "
      "take a strategy that needs no labels\n";
  EXPECT_EQ(mistake(labelled), "kd.toml:3:9 data.mixup = 0.2" + why +
                                   "kd.toml:4:10 data.cutmix = 1" + why +
                                   "2 mistakes; nothing was started.");
  EXPECT_EQ(mistake(labelled, {"data.mixup=0", "data.cutmix=0"}), "");
  const ExperimentFile file("kd.toml", {}, catalog_);
  EXPECT_EQ(file.load(Purpose::Evaluate).data.mixup, 0.2);  // evaluation mixes nothing
}

TEST_F(MistakesTest, OfATransferNamedAsTheHostsOwn) {
  const std::string text = kWithTeacher + "[[transfer]]\nstrategy = \"logits.kd\"\nname = \"";
  EXPECT_EQ(mistake(text + "loss\"\n"),
            "kd.toml:9:8 transfer[0].name \"loss\" is what metrics or saved states call a value of "
            "the host; give it another name: name = \"loss.2\"");
  for (const char* name : {"task", "student", "teacher", "lr", "top1"}) {
    EXPECT_THAT(mistake(text + name + "\"\n"), HasSubstr("give it another name")) << name;
  }
  for (const char* name : {"a/b", "a\\tb", "", "..", "-x", "\\u202Ex"}) {
    EXPECT_THAT(mistake(text + name + "\"\n"), HasSubstr("must be letters, digits")) << name;
  }
}

TEST_F(MistakesTest, OfAugmentationAreToldWithAllOthers) {
  const std::string text =
      "[data]\ndataset = \"fashion_mnist\"\n"
      "augment = [\"crop(2000)\", \"erase(0.1)\", \"randaugment(0, 9)\", \"flip\"]\n"
      "batch_size = 0\n[student]\nmodel = \"resnet\"\n";
  const std::string told = mistakes(text);
  for (const char* part :
       {"kd.toml:3:12  data.augment[0] \"crop(2000)\"", "pads by >= 1 and <= 1024 pixels\n",
        "kd.toml:3:26  data.augment[1] \"erase(0.1)\"", "is step 2 of 4; ",
        "kd.toml:3:40  data.augment[2] \"randaugment(0, 9)\"", "kd.toml:4:14  data.batch_size = 0",
        "\n4 mistakes; nothing was started."}) {
    EXPECT_THAT(told, HasSubstr(part));
  }
}

TEST_F(MistakesTest, OfATeacherWithWeightsThatIsTrainedToo) {
  write("w.safetensors", "x");
  EXPECT_EQ(mistake(kWithTeacher + "weights = \"w.safetensors\"\ntrain = { epochs = 2 }\n"),
            "kd.toml:8:1 teacher.train the weights are loaded and the teacher is not trained; "
            "remove one");
}

TEST_F(MistakesTest, OfTrainAreNotRepeatedForTheTeacherThatInheritsIt) {
  EXPECT_EQ(
      mistake(kWithTeacher + "train = { epochs = 2 }\n[train]\nschedule = \"multistep\"\n"),
      "kd.toml:9:12 train.schedule.milestones missing; the epochs at which the rate drops, as in "
      "[150, 180]");
  EXPECT_EQ(mistake(kWithTeacher + "train = { epochs = 2 }\n[train]\nepochs = 9\n"
                                   "schedule = { warmup_epochs = 3 }\n"),
            "kd.toml:7:9 teacher.train.schedule.warmup_epochs = 3 the warm-up must end before the "
            "training does, after epoch 2");
}

TEST_F(MistakesTest, OfNumbersThatDoNotFit) {
  EXPECT_EQ(mistake("seed = -1\n" + kSmall), "kd.toml:1:8 seed = -1 must be >= 0 (default 1)");
  EXPECT_THAT(mistake("seed = 99999999999999999999\n"), HasSubstr("not representable in 64 bits"));
  EXPECT_EQ(mistake("name = \"a b\\u001b\"\n" + kSmall).substr(0, 34),
            "kd.toml:1:8 name \"a b\\u001B\" must ");
}

}  // namespace
}  // namespace retort::host
