// A plugin that ends the process, in whatever way: the program says which, and where.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kPlugins = RETORT_ZOO_DIR "/wrong";
const std::string kFile = std::string(" 0.3.0 (") + kPlugins + "/wrong.retort) ";

/// The plugin of tests/broken_plugins/wrong.cpp as data set, student and transfer.
std::filesystem::path wrong_experiment(const Scratch& scratch) {
  return scratch.put("wrong.toml", R"toml(name = "wrong"
data = { dataset = "test.wrong_data", batch_size = 32, augment = [] }
student = { model = "test.wrong_model" }
baseline = { student_alone = false }
task = { weight = 1 }
transfer = [{ strategy = "test.wrong", weight = 1 }]
train = { epochs = 2 }
)toml"
                                   "run = { device = \"cpu\", threads = 1, out = \"" +
                                       scratch.path("runs").string() + "\" }\n");
}

Program start(const std::string& wish, std::vector<std::string> arguments) {
  setenv("RETORT_TEST_WRONG", wish.c_str(), 1);
  arguments.insert(arguments.begin(), {"--plugins", kPlugins});
  return Program(arguments);
}

Finished run(const std::string& wish, const Scratch& scratch) {
  return start(wish, {"run", wrong_experiment(scratch).string()}).wait();
}

Finished check(const std::string& wish) {
  const Scratch scratch;
  return start(wish, {"check", wrong_experiment(scratch).string()}).wait();
}

std::string status_of(const Scratch& scratch) {
  return json::parse(content_of(scratch.path("runs/wrong/001/run.json")))["status"];
}

TEST(WrongPlugin, IsRightWithoutAWish) {
  const Finished finished = check("");
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.err, "");
}

struct Crash {
  const char* wish;
  const char* told;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIP_WITH_SANITIZER() GTEST_SKIP() << "a sanitizer ends such a program in its own way"
#else
#define SKIP_WITH_SANITIZER() static_cast<void>(0)
#endif

class CrashIn : public testing::TestWithParam<Crash> {};

TEST_P(CrashIn, IsToldWithPluginAndFunction) {
  SKIP_WITH_SANITIZER();
  const Finished finished = check(GetParam().wish);
  EXPECT_EQ(finished.code, 1);
  EXPECT_THAT(finished.err, AllOf(HasSubstr(kFile), HasSubstr(GetParam().told)));
  EXPECT_EQ(finished.out, "");
}

INSTANTIATE_TEST_SUITE_P(
    EveryFunction, CrashIn,
    testing::Values(Crash{"create segv", "crashed in create(): Segmentation fault (SIGSEGV) at"},
                    Crash{"setup ill", "crashed in setup(): Illegal instruction (SIGILL)"},
                    Crash{"loss fpe", "crashed in loss(), step 0: Arithmetic error (SIGFPE)"},
                    Crash{"after_backward bus", "crashed in after_backward(), step 0: Bus error"},
                    Crash{"destroy abort", "crashed in destroy(): Aborted (SIGABRT)"},
                    Crash{"build segv", "crashed in build(): Segmentation"},
                    Crash{"forward overflow", "(SIGSEGV), the stack is full"},
                    Crash{"open abort", "crashed in open(): Aborted (SIGABRT)"},
                    Crash{"read segv", "crashed in read(): Segmentation fault (SIGSEGV) at"}));

INSTANTIATE_TEST_SUITE_P(
    OtherEnds, CrashIn,
    testing::Values(
        Crash{"loss exit", "called exit() in loss(), step 0: code 0; a plugin throws"},
        Crash{"loss quick_exit", "called exit() in loss(), step 0"},
        Crash{"loss _exit",
              "in loss(), step 0: the process ended before check was done (exit code 0)"},
        Crash{"loss exec", "in loss(), step 0: the process ended before check was done (exit code"},
        Crash{"loss unseen", "in loss(), step 0: the process ended before check was done (Segm"},
        Crash{"loss exit_group", "in loss(), step 0: the process ended before check was done"},
        Crash{"loss kill", "in loss(), step 0: check was killed (SIGKILL)"},
        Crash{"setup noexcept",
              "threw where nothing can catch it (std::terminate) in setup(): no "
              "\"way\" out"},
        Crash{"destroy empty", "in destroy(): std::runtime_error without a message; catch it"},
        Crash{"setup thread_segv", "was in setup(): Segmentation fault"},
        Crash{"setup thread_throw", "was in setup(): lost"}));

TEST(Crash, KillsTheRunByItsSignalAndMarksItAsFailed) {
  SKIP_WITH_SANITIZER();
  const Scratch scratch;
  const Finished finished = run("loss@1 segv", scratch);
  EXPECT_EQ(finished.code, 1000 + SIGSEGV);
  EXPECT_THAT(finished.err, HasSubstr("test.wrong" + kFile + "crashed in loss(), step 1: Segment"));
  EXPECT_THAT(status_of(scratch),
              StartsWith("failed: test.wrong" + kFile + "crashed in loss(), step 1"));
  const Finished list = retort({"ls", "runs", scratch.path("runs").string()});
  EXPECT_THAT(list.out, HasSubstr("failed: test.wrong"));
}

/// The thread may fail while another plugin's function runs, or none.
TEST(Crash, OnAThreadOfAPluginsOwnNamesTheFileOfItsCode) {
  SKIP_WITH_SANITIZER();
  const Scratch scratch;
  const std::string file = wrong_experiment(scratch).string();
  const Finished finished = start("loss@1 later", {"run", file, "train.epochs=1000000"}).wait();
  EXPECT_EQ(finished.code, 1000 + SIGSEGV);
  const std::string told =
      std::string("code of ") + kPlugins + "/wrong.retort crashed on a thread of its own in phase";
  EXPECT_THAT(finished.err, HasSubstr(told));
  EXPECT_THAT(status_of(scratch), StartsWith("failed: " + told));
}

TEST(Crash, OfAPluginWhoseFileWasCutMeanwhileSaysSo) {
  SKIP_WITH_SANITIZER();
  const Scratch scratch;
  const std::filesystem::path copy = scratch.path("copy.retort");
  std::filesystem::copy_file(std::string(kPlugins) + "/wrong.retort", copy);
  setenv("RETORT_TEST_CUT", copy.c_str(), 1);
  setenv("RETORT_TEST_WRONG", "loss@1 cut", 1);
  const Finished finished =
      retort({"--plugins", scratch.folder().string(), "run", wrong_experiment(scratch).string()});
  EXPECT_EQ(finished.code, 1000 + SIGBUS);
  EXPECT_THAT(finished.err,
              AllOf(HasSubstr("crashed in loss(), step 1: Bus error (SIGBUS), " + copy.string() +
                              " was changed or cut while the program ran; start again"),
                    Not(HasSubstr("gdb"))));
}

TEST(Fork, OfAPluginEndsTheCopyAndTheRunGoesOnAlone) {
  SKIP_WITH_SANITIZER();
  const Scratch scratch, right;
  const Finished finished = run("loss@1 fork", scratch);
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("test.wrong" + kFile + "forked in loss(), step 1"));
  ASSERT_EQ(run("", right).code, 0);
  EXPECT_EQ(content_of(scratch.path("runs/wrong/001/metrics.jsonl")),
            content_of(right.path("runs/wrong/001/metrics.jsonl")));
}

TEST(Crash, IsForgottenWhenTheRunIsResumed) {
  SKIP_WITH_SANITIZER();
  const Scratch scratch;
  EXPECT_EQ(run("loss@3 abort", scratch).code, 1000 + SIGABRT);
  const std::string folder = scratch.path("runs/wrong/001").string();
  EXPECT_THAT(status_of(scratch), StartsWith("failed: "));
  const Finished resumed = start("", {"run", "--resume", folder}).wait();
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(status_of(scratch), "finished");
}

TEST(Exit, OfAPluginInARunIsNoSuccess) {
  SKIP_WITH_SANITIZER();
  for (const char* wish : {"loss@1 exit", "loss@1 _exit", "loss@1 exit_group", "loss@1 exec"}) {
    const Scratch scratch;
    const Finished finished = run(wish, scratch);
    EXPECT_EQ(finished.code, 1) << wish;
    EXPECT_THAT(finished.err,
                AllOf(HasSubstr("test.wrong" + kFile), HasSubstr("in loss(), step 1")));
    EXPECT_THAT(status_of(scratch), StartsWith("failed: test.wrong"));
  }
}

TEST(Crash, WithoutItsHandlerIsToldByTheLauncher) {
  SKIP_WITH_SANITIZER();
  const Scratch scratch;
  const Finished finished = run("loss@1 unseen", scratch);
  EXPECT_EQ(finished.code, 1000 + SIGSEGV);
  EXPECT_THAT(finished.err, HasSubstr("in loss(), step 1: the process ended before run was done"));
  EXPECT_THAT(status_of(scratch), StartsWith("failed: test.wrong"));
}

TEST(Crash, OfACommandThatOnlyEvaluatesIsToldToo) {
  SKIP_WITH_SANITIZER();
  const Scratch scratch;
  ASSERT_EQ(run("", scratch).code, 0);
  const Finished finished =
      start("forward exit_group", {"eval", scratch.path("runs/wrong/001").string()}).wait();
  EXPECT_EQ(finished.code, 1);
  EXPECT_THAT(finished.err, HasSubstr("in forward(): the process ended before eval was done"));
}

TEST(KilledRun, IsToldAndLeftToGoOnFrom) {
  const Scratch scratch;
  const Finished finished = run("loss@1 kill", scratch);
  EXPECT_EQ(finished.code, 1000 + SIGKILL);
  EXPECT_THAT(finished.err, HasSubstr("in loss(), step 1: run was killed (SIGKILL): by hand, or"));
  EXPECT_EQ(status_of(scratch), "running");
}

/// A scheduler that kills what it started leaves nothing behind that trains on.
TEST(KilledLauncher, TakesTheRunWithIt) {
  const Scratch scratch;
  Program program = start("", {"run", wrong_experiment(scratch).string(), "train.epochs=1000000"});
  const std::filesystem::path folder = scratch.path("runs/wrong/001");
  while (program.running() && !std::filesystem::exists(folder / "checkpoints/resume"))
    std::this_thread::sleep_for(10ms);
  program.send(SIGKILL);
  program.wait();
  std::string list;
  for (int i = 0; i < 300 && list.find("killed") == std::string::npos; ++i) {
    std::this_thread::sleep_for(10ms);
    list = retort({"ls", "runs", scratch.path("runs").string()}).out;
  }
  EXPECT_THAT(list, HasSubstr("killed"));
}

TEST(FilesOfTheHost, AreKeptFromAPluginThatClosesThem) {
  const Scratch scratch;
  const Finished finished = run("setup files", scratch);
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("changed standard output"));
  EXPECT_THAT(finished.out, HasSubstr("student"));
}

TEST(LimitsOfTheProcess, ArePutBackAndThePluginNamed) {
  const Scratch scratch;
  const Finished finished = run("setup limit", scratch);
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("changed the limit of address space in setup(); it was put"));
}

TEST(Crash, IsAJsonLineWhereTheLogIsJson) {
  const Scratch scratch;
  const std::string file = wrong_experiment(scratch).string();
  const Finished finished = start("setup noexcept", {"--log-format", "json", "check", file}).wait();
  EXPECT_EQ(finished.code, 1);
  // The runtime's own words are gone: its handler is replaced.
  const json line = json::parse(finished.err);
  EXPECT_EQ(line["level"], "error");
  EXPECT_THAT(std::string(line["message"]), HasSubstr("in setup(): no \"way\" out"));
}

TEST(HangingPlugin, IsNamedWhenCheckIsStopped) {
  const Scratch scratch;
  setenv("RETORT_TEST_HANGING", scratch.path("hangs").c_str(), 1);
  Program program = start("setup hang", {"check", wrong_experiment(scratch).string()});
  while (program.running() && !std::filesystem::exists(scratch.path("hangs")))
    std::this_thread::sleep_for(10ms);
  ASSERT_TRUE(program.running());
  program.send(SIGTERM);
  const Finished finished = program.wait();
  EXPECT_EQ(finished.code, 1000 + SIGTERM);
  EXPECT_THAT(finished.err, HasSubstr("in setup(): check was stopped (Terminated)"));
}

TEST(HangingPlugin, IsNamedWhenARunIsStoppedByASecondSignal) {
  const Scratch scratch;
  setenv("RETORT_TEST_HANGING", scratch.path("hangs").c_str(), 1);
  Program program = start("loss@1 hang", {"run", wrong_experiment(scratch).string()});
  while (program.running() && !std::filesystem::exists(scratch.path("hangs")))
    std::this_thread::sleep_for(10ms);
  for (int i = 0; i < 100 && program.running(); ++i) {
    program.send(SIGTERM);
    std::this_thread::sleep_for(20ms);
  }
  const Finished finished = program.wait();
  EXPECT_EQ(finished.code, 128 + SIGTERM);
  EXPECT_THAT(finished.err, HasSubstr("was in loss(), step 1: stopped by a second signal"));
}

/// One wish to stop is answered after the step, which never comes: the user is told how to go on.
void expect_waiting_is_told(const std::vector<std::string>& options, const std::string& told) {
  const Scratch scratch;
  setenv("RETORT_TEST_HANGING", scratch.path("hangs").c_str(), 1);
  std::vector<std::string> arguments = options;
  arguments.insert(arguments.end(), {"run", wrong_experiment(scratch).string()});
  Program program = start("loss@1 hang", arguments);
  while (program.running() && !std::filesystem::exists(scratch.path("hangs")))
    std::this_thread::sleep_for(10ms);
  program.send(SIGINT);
  for (int i = 0; i < 1000 && program.err().find(told) == std::string::npos; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(program.running());
  program.send(SIGINT);
  const Finished finished = program.wait();
  EXPECT_EQ(finished.code, 128 + SIGINT);
  EXPECT_THAT(finished.err, HasSubstr(told));
  EXPECT_EQ(finished.err.find(told), finished.err.rfind(told)) << finished.err;
}

TEST(HangingPlugin, IsNamedAWhileAfterTheFirstSignalOfARun) {
  expect_waiting_is_told(
      {}, "waiting for test.wrong" + kFile + "in loss(), step 1; once more to end at once\n");
  expect_waiting_is_told({"--log-format", "json"},
                         "\"level\":\"warning\",\"message\":\"waiting for test.wrong" + kFile +
                             "in loss(), step 1; once more to end at once\"}\n");
}

TEST(HangingPlugin, ThatIgnoresSignalsIsEndedAsTold) {
  const Scratch scratch;
  setenv("RETORT_TEST_HANGING", scratch.path("hangs").c_str(), 1);
  Program program = start("loss@1 deaf", {"run", wrong_experiment(scratch).string()});
  while (program.running() && !std::filesystem::exists(scratch.path("hangs")))
    std::this_thread::sleep_for(10ms);
  program.send(SIGINT);
  for (int i = 0; i < 1000 && program.err().find("once more to end") == std::string::npos; ++i)
    std::this_thread::sleep_for(10ms);
  program.send(SIGINT);
  const Finished finished = program.wait();
  EXPECT_EQ(finished.code, 1000 + SIGKILL);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("in loss(), step 1; once more to end at once"),
                                  HasSubstr("does not react to signals; it was killed")));
}

TEST(Timers, OfAPluginAreStoppedAndThePluginNamed) {
  const Scratch scratch;
  const Finished finished = run("setup alarm", scratch);
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("test.wrong" + kFile +
                                      "changed the timer of alarm() and "
                                      "setitimer(ITIMER_REAL) in setup(); it was put back"));
}

/// One of timer_create() is not seen before it ends the process.
TEST(Timers, ThatEndTheProcessAreToldAsTimers) {
  const Scratch scratch;
  const Finished finished = run("loss@1 timer", scratch);
  EXPECT_EQ(finished.code, 1000 + SIGPROF);
  EXPECT_THAT(finished.err, HasSubstr("run was ended by a timer (Profiling timer expired) that a "
                                      "plugin or library started"));
}

TEST(PrintingPlugin, LeavesJsonOnStandardOutputWhole) {
  for (const char* command : {"run", "check"}) {
    const Scratch scratch;
    const Finished finished =
        start("loss print", {"--json", command, wrong_experiment(scratch).string()}).wait();
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_TRUE(json::accept(finished.out)) << finished.out;
    EXPECT_THAT(finished.err, HasSubstr("a plugin says this\n"));
  }
}

/// The number of a closed stream goes to no file that is opened later.
TEST(PrintingPlugin, WritesIntoNoFileWhereStandardOutputIsClosed) {
  const Scratch scratch, right;
  setenv("RETORT_TEST_WRONG", "loss print", 1);
  const std::string line = std::string(RETORT_PROGRAM) + " --plugins " + kPlugins + " run " +
                           wrong_experiment(scratch).string() + " >&- 2>" +
                           scratch.path("err").string();
  EXPECT_EQ(WEXITSTATUS(std::system(line.c_str())), 5);
  EXPECT_THAT(content_of(scratch.path("err")),
              AllOf(HasSubstr("a plugin says this\n"),
                    HasSubstr("standard output: not all of it could be written")));
  ASSERT_EQ(run("", right).code, 0);
  EXPECT_EQ(content_of(scratch.path("runs/wrong/001/metrics.jsonl")),
            content_of(right.path("runs/wrong/001/metrics.jsonl")));
}

TEST(ProcessStateOfARun, IsPutBackAndThePluginNamed) {
  const Scratch scratch;
  const Finished finished = run("setup change", scratch);
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err,
              HasSubstr("test.wrong" + kFile + "changed the locale (to C.UTF-8), the "));
  EXPECT_THAT(finished.err, HasSubstr("what happens at SIGSEGV in setup()"));
}

TEST(FloatingPointOfARun, IsPutBackAndThePluginNamedOnce) {
  const Scratch scratch;
  const Finished finished = run("loss round", scratch);
  EXPECT_EQ(finished.code, 0) << finished.err;
  const std::string warning = "changed the floating-point state in loss(), step 0 (rounding";
  const size_t first = finished.err.find(warning);
  EXPECT_NE(first, std::string::npos) << finished.err;
  EXPECT_EQ(finished.err.find("floating-point", first + warning.size()), std::string::npos);
}

}  // namespace
}  // namespace retort::test
