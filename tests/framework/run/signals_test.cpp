// A signal in the middle of training: the run folder stays readable and says where it stopped.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

/// Waits until the file holds a line, as long as the program runs and at most a minute.
void wait_for_line(Program& program, const std::filesystem::path& file) {
  for (int i = 0; i < 6000 && program.running(); ++i) {
    if (content_of(file).find('\n') != std::string::npos) return;
    std::this_thread::sleep_for(10ms);
  }
}

class Signals : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(Signals, StopTheRunAndLeaveItsFolderReadable) {
  const auto [signal, code] = GetParam();
  const Scratch scratch;
  const std::filesystem::path folder = scratch.path("runs/tiny/001");
  Program program({"run", tiny_experiment(scratch).string(), "train.epochs=1000000"});
  wait_for_line(program, folder / "metrics.jsonl");
  ASSERT_TRUE(program.running());
  program.send(signal);
  const Finished finished = program.wait();
  EXPECT_EQ(finished.code, code) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr(folder.string()));

  EXPECT_THAT(std::string(json::parse(content_of(folder / "run.json"))["status"]),
              HasSubstr("stopped"));
  const std::string metrics = content_of(folder / "metrics.jsonl");
  EXPECT_TRUE(metrics.ends_with('\n'));
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) EXPECT_NO_THROW(json::parse(line)) << line;
}

INSTANTIATE_TEST_SUITE_P(Each, Signals,
                         testing::Values(std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}));

TEST(StoppedRun, IsExplainedByEval) {
  const Scratch scratch;
  const std::filesystem::path folder = scratch.path("runs/tiny/001");
  Program program({"run", tiny_experiment(scratch).string(), "train.epochs=1000000"});
  wait_for_line(program, folder / "metrics.jsonl");
  program.send(SIGINT);
  program.wait();
  const Finished eval = retort({"eval", folder.string()});
  EXPECT_EQ(eval.code, 3);
  EXPECT_THAT(eval.err, HasSubstr("the run did not come to its end"));
}

}  // namespace
}  // namespace retort::test
