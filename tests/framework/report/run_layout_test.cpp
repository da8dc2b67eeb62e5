#include "framework/report/run_layout.hpp"

#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "framework/report/run_owner.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

using host::RunLayout;
using host::SavedWeights;

TEST(RunLayout, NamesTheFilesThatReadersKnow) {
  const RunLayout run("runs/kd/001");
  EXPECT_EQ(run.experiment(), "runs/kd/001/experiment.toml");
  EXPECT_EQ(run.lock(), "runs/kd/001/retort.lock");
  EXPECT_EQ(run.metrics(), "runs/kd/001/metrics.jsonl");
  EXPECT_EQ(run.results(), "runs/kd/001/run.json");
  EXPECT_EQ(run.summary(), "runs/kd/001/summary.csv");
  EXPECT_EQ(run.result_weights(), "runs/kd/001/student.safetensors");
  EXPECT_EQ(run.page(), "runs/kd/001/report.html");
  EXPECT_EQ(run.owner(), "runs/kd/001/owner");
  EXPECT_EQ(run.states(), "runs/kd/001/checkpoints/resume");
  EXPECT_EQ(run.phase_weights("alone", SavedWeights::Last),
            "runs/kd/001/checkpoints/alone-last.safetensors");
  EXPECT_EQ(run.phase_weights("distil", SavedWeights::Best),
            "runs/kd/001/checkpoints/distil-best.safetensors");
  EXPECT_EQ(run.event_file(12, 3), "runs/kd/001/events.out.tfevents.12.3.retort");
}

TEST(RunLayout, NamesTheFoldersOfAnExperiment) {
  EXPECT_EQ(host::numbered_run(host::runs_folder("runs", "kd"), 7), "runs/kd/007");
  EXPECT_EQ(host::numbered_run("runs/kd", 1234), "runs/kd/1234");
  EXPECT_EQ(host::kept_teacher("runs", "0a1b"), "runs/teachers/0a1b.safetensors");
}

TEST(RunLayout, RefusesAFolderThatIsNoRun) {
  const Scratch scratch;
  const RunLayout run(scratch.folder());
  EXPECT_THAT([&] { run.check_is_run(); },
              testing::ThrowsMessage<host::ConfigError>(
                  run.folder().string() + " is no run folder: it has no experiment.toml; name one "
                                          "such as runs/NAME/001"));
  scratch.put("experiment.toml", "");
  EXPECT_NO_THROW(run.check_is_run());
}

TEST(RunLayout, RefusesLinks) {
  const Scratch scratch;
  const RunLayout run(scratch.folder());
  EXPECT_NO_THROW(run.check_no_links({RunLayout::kMetrics, RunLayout::kStates}));
  std::filesystem::create_symlink("elsewhere", run.metrics());
  EXPECT_NO_THROW(run.check_no_links({RunLayout::kStates}));
  EXPECT_THAT(
      [&] {
        run.check_no_links({RunLayout::kStates, RunLayout::kMetrics});
      },
      testing::ThrowsMessage<host::DataError>(
          testing::StartsWith(run.metrics().string() + ": is a link")));
}

TEST(RunOwner, IsSeenByOthersWhileItLives) {
  const Scratch scratch;
  const RunLayout run(scratch.folder());
  EXPECT_FALSE(host::has_owner(run));
  {
    const host::RunOwner owner(run);
    EXPECT_TRUE(host::has_owner(run));
    EXPECT_THAT(content_of(run.owner()), testing::StartsWith("process "));
    EXPECT_THROW(host::RunOwner second(run), host::EnvironmentError);
  }
  EXPECT_FALSE(host::has_owner(run));
  const host::RunOwner next(run);
}

}  // namespace
}  // namespace retort::test
