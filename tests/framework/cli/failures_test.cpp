// What a user sees when data, a plugin, a number or the machine is wrong: a message with the value and
// the remedy, and an exit code that a script can tell apart.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

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

/// Runs the tiny experiment with a plugin of the zoo, which has to be among the overrides.
Finished run_with_plugin(const Scratch& scratch, const std::string& name,
                         std::vector<std::string> overrides) {
  std::filesystem::create_directories(scratch.path("plugins"));
  std::filesystem::copy_file(std::filesystem::path(RETORT_ZOO_DIR) / (name + ".retort"),
                             scratch.path("plugins/" + name + ".retort"),
                             std::filesystem::copy_options::overwrite_existing);
  overrides.insert(overrides.end(), {"--plugins", scratch.path("plugins").string()});
  return run_tiny(scratch, overrides);
}

TEST(AFolderOfRunsThatIsMissing, IsToldWithExitCode3) {
  const Scratch scratch;
  const std::string none = scratch.path("none").string(), file = scratch.put("a.txt", "").string();
  for (const auto& [path, what] : {std::pair(none, ": no such folder; name the one that run.out"),
                                   std::pair(file, ": is no folder; name the one that run.out")}) {
    const Finished list = retort({"ls", "runs", path});
    EXPECT_EQ(list.code, 3);
    EXPECT_THAT(list.err, HasSubstr(path + what));
  }
  EXPECT_EQ(retort({"ls", "runs", scratch.folder().string()}).code, 0) << "holds no run yet";
}

TEST(APluginThatFails, IsToldWithExitCode1) {
  const Scratch scratch;
  const Finished run = run_with_plugin(scratch, "throws", {"transfer[0].strategy=test.throws"});
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("plugins/throws.retort: "), HasSubstr("no licence")));
}

TEST(APluginThatThrows, NoExceptionOfTheStandardIsNamedWithExitCode1) {
  const Scratch scratch;
  const Finished run =
      run_with_plugin(scratch, "throws_later", {"transfer[0].strategy=test.throws_later"});
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("test.throws_later 1.2.3 ("),
                             HasSubstr("let an exception out of create(): an exception that is no "
                                       "std::exception")));
}

TEST(APluginsMessage, HasNoPowerOverTerminalOrLog) {
  const Scratch scratch;
  const std::vector<std::string> rude = {"transfer[0].strategy=test.rude", "transfer[0].scale=9.2"};
  const Finished text = run_with_plugin(scratch, "rude", rude);
  EXPECT_EQ(text.code, 2);
  for (const char* control :
       {"\x1b", "\x07", "\r", "\xe2\x80\xae", "\xc2\x9b", "\xff", "\nerror:"}) {
    EXPECT_THAT(text.err, Not(HasSubstr(control)));
  }
  EXPECT_THAT(text.err, AllOf(HasSubstr("test.rude 1.2.3 ("), HasSubstr("\n  error: forged")));
  std::vector<std::string> in_json = rude;
  in_json.insert(in_json.end(), {"--log-format", "json"});
  const Finished json = run_with_plugin(scratch, "rude", in_json);
  EXPECT_EQ(json.code, 2);
  const auto line = nlohmann::json::parse(json.err.substr(json.err.rfind('{')));
  EXPECT_THAT(line["message"].get<std::string>(), Not(HasSubstr("\x1b")));
}

/// A name that is no UTF-8 once threw while the status was written, in place of what was told.
TEST(APathThatIsNoUtf8, HidesNotWhyTheRunFailed) {
  const Scratch scratch;
  const std::string out = "run.out=" + scratch.path("caf\xe9").string();
  const std::string limited = "ulimit -f 2; exec \"$@\"";  // kilobytes: no weights fit
  const Finished full = Program({"run", tiny_experiment(scratch).string(), out, "data.train=64"},
                                {"bash", "-c", limited, "bash"})
                            .wait();
  EXPECT_EQ(full.code, 5) << full.err;
  EXPECT_THAT(full.err, AllOf(HasSubstr("file-size limit"), Not(HasSubstr("\xe9"))));
  const Finished run = run_tiny(scratch, {out, "--json"});
  EXPECT_EQ(run.code, 0) << run.err;
  const Finished list = retort({"--json", "ls", "runs", scratch.path("caf\xe9").string()});
  EXPECT_TRUE(nlohmann::json::accept(list.out)) << list.out;
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

}  // namespace
}  // namespace retort::test
