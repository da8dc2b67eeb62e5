// What a user sees when something is wrong: a message with the value and the remedy, and an exit
// code that a script can tell apart.
#include <gmock/gmock.h>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Runs the tiny experiment with overrides; a refused one has written nothing.
Finished run_tiny(const Scratch& scratch, std::vector<std::string> overrides) {
  overrides.insert(overrides.begin(), {"run", tiny_experiment(scratch).string()});
  return retort(overrides);
}

TEST(Mistakes, InTheFileAreAllToldAtOnceWithTheirPlace) {
  const Scratch scratch;
  std::string text = content_of(tiny_experiment(scratch));
  text.replace(text.find("width = 0.5"), 5, "widht");
  text.replace(text.find("batch_size = 32"), 15, "batch_size = -2");
  const Finished run = retort({"run", scratch.put("wrong.toml", text).string()});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("wrong.toml:9:"), HasSubstr("data.batch_size = -2"),
                             HasSubstr("student.widht"), HasSubstr("did you mean \"width\"?"),
                             HasSubstr("2 mistakes; nothing was started.")));
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(scratch.path("runs")));
}

TEST(Mistakes, OfAnOverrideAreTold) {
  const Scratch scratch;
  const Finished run = run_tiny(scratch, {"student.depht=3"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("student.depht"));
}

TEST(Mistakes, OfAMissingExperimentNameItsPath) {
  const Finished run = retort({"run", "/nowhere/experiment.toml"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("/nowhere/experiment.toml"));
}

TEST(Mistakes, OfATapListTheModelsTapsBeforeAnythingIsTrained) {
  const Scratch scratch;
  std::string text = content_of(tiny_experiment(scratch));
  const std::string fitnet = "strategy = \"feature.fitnet\"\n";
  text.insert(text.find(fitnet) + fitnet.size(),
              "bind = { student = \"layer2\", teacher = \"layer9\" }\n");
  const Finished run = retort({"run", scratch.put("taps.toml", text).string()});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("taps.toml:28:"),
                             HasSubstr("transfer[1].bind.teacher \"layer9\"  convnet has: "),
                             HasSubstr("layer2, layer3.preact, layer3, pooled, logits"),
                             Not(HasSubstr("epoch 1/"))));
  EXPECT_FALSE(std::filesystem::exists(scratch.path("runs")));
}

TEST(Mistakes, OfAnUnknownCommandNameIt) {
  const Finished run = retort({"distil"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("distil"), HasSubstr("--help")));
}

TEST(Mistakes, OfNoCommandGiveTheHelp) {
  const Finished run = retort({});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("Train teacher, baseline and student"));
}

TEST(MissingData, NamesThePathAndHowToGetIt) {
  const Scratch scratch;
  const std::string experiment =
      scratch
          .put("fashion.toml",
               "name = \"fashion\"\n[data]\ndataset = \"fashion_mnist\"\n"
               "root = \"/nowhere/fashion\"\n[student]\nmodel = \"convnet\"\n")
          .string();
  const Finished run = retort({"run", experiment, "run.out=" + scratch.path("runs").string()});
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, AllOf(HasSubstr("/nowhere/fashion"), HasSubstr("dataset-fashion-mnist"),
                             HasSubstr("data.root")));
  EXPECT_FALSE(std::filesystem::exists(scratch.path("runs")));
}

TEST(APluginThatFails, IsToldWithExitCode1) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.path("plugins"));
  std::filesystem::copy_file(std::filesystem::path(RETORT_ZOO_DIR) / "throws.retort",
                             scratch.path("plugins/throws.retort"));
  const Finished run = run_tiny(
      scratch, {"--plugins", scratch.path("plugins").string(), "transfer[0].strategy=test.throws"});
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("plugins/throws.retort: "), HasSubstr("no licence")));
}

TEST(WeightsThatDoNotFit, AreToldWithExitCode3) {
  const Scratch scratch;
  ASSERT_EQ(run_tiny(scratch, {"train.epochs=1"}).code, 0);
  const Finished run = run_tiny(
      scratch, {"teacher.weights=" + scratch.path("runs/tiny/001/student.safetensors").string()});
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, AllOf(HasSubstr("these weights do not fit the teacher"),
                             HasSubstr("bn1.bias [8] in the file, [16] in the model")));
}

TEST(ALossThatIsNotFinite, StopsWithExitCode4AndNamesStepAndTerm) {
  const Scratch scratch;
  const Finished run = run_tiny(scratch, {"train.optimizer.lr=1e30"});
  EXPECT_EQ(run.code, 4);
  EXPECT_THAT(run.err, HasSubstr("teacher, step "));
  EXPECT_THAT(run.err, HasSubstr("the loss term \"task\" is "));
}

TEST(AMissingGpu, IsToldWithExitCode5) {
  if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "this machine has an NVIDIA GPU";
  const Scratch scratch;
  const Finished run = run_tiny(scratch, {"run.device=cuda"});
  EXPECT_EQ(run.code, 5);
  EXPECT_THAT(run.err, AllOf(HasSubstr("run.device = \"cuda\": "),
                             HasSubstr("use device = \"cpu\", or \"auto\"")));
}

TEST(AFolderThatCannotBeWritten, IsToldWithExitCode5) {
  const Scratch scratch;
  // /proc takes no folder, not even from the superuser.
  const Finished run = run_tiny(scratch, {"run.out=/proc/retort"});
  EXPECT_EQ(run.code, 5);
  EXPECT_THAT(run.err, AllOf(HasSubstr("/proc/retort/tiny: the run folder cannot be created"),
                             HasSubstr("choose another with run.out")));
}

TEST(Eval, OfAFolderThatIsNoRunSaysWhatItWants) {
  const Scratch scratch;
  const Finished eval = retort({"eval", scratch.folder().string()});
  EXPECT_EQ(eval.code, 2);
  EXPECT_THAT(eval.err, HasSubstr("is no run folder: it has no experiment.toml"));
}

TEST(Eval, OfAnExperimentWithoutSavedNetworksSaysWhatItWants) {
  const Scratch scratch;
  const Finished eval = retort({"eval", tiny_experiment(scratch).string()});
  EXPECT_EQ(eval.code, 2);
  EXPECT_THAT(eval.err, HasSubstr("teacher.weights=FILE.safetensors"));
}

}  // namespace
}  // namespace retort::test
