// Whole runs of the program on a GPU. Skipped where there is none.
#include <gmock/gmock.h>

#include "tests/framework/run/resuming.hpp"
#include "tests/framework/train/gpu.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> command(const Scratch& scratch, const std::vector<std::string>& more) {
  std::vector<std::string> all = {"run", tiny_experiment(scratch).string(), "run.device=\"cuda\""};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(CudaRun, EndsWithTheSameBytesTwiceWhenDeterministic) {
  RETORT_NEEDS_GPU(device);
  const Scratch first, second;
  for (const Scratch* scratch : {&first, &second}) {
    const Finished run = retort(command(*scratch, {"run.deterministic=true"}));
    ASSERT_EQ(run.code, 0) << run.err;
    EXPECT_THAT(run.err, testing::HasSubstr("cuda:0 (NVIDIA"));
  }
  EXPECT_TRUE(result_of(first.path("runs/tiny/001")) == result_of(second.path("runs/tiny/001")));
}

TEST(CudaRun, ResumesToTheSameBytesWhenDeterministic) {
  RETORT_NEEDS_GPU(device);
  const Scratch whole, cut;
  const std::vector<std::string> more = {"run.deterministic=true", "run.checkpoint_steps=1",
                                         "train.epochs=30"};
  const Finished run = retort(command(whole, more));
  ASSERT_EQ(run.code, 0) << run.err;
  Program interrupted(command(cut, more));
  const fs::path folder = cut.path("runs/tiny/001");
  while (interrupted.running() && content_of(folder / "metrics.jsonl").size() < 200) usleep(2000);
  interrupted.send(SIGKILL);
  EXPECT_EQ(interrupted.wait().code, 1000 + SIGKILL) << "it ended before it was killed";
  const Finished resumed = retort({"run", "--resume", folder.string()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_TRUE(result_of(folder) == result_of(whole.path("runs/tiny/001"))) << resumed.err;
}

}  // namespace
}  // namespace retort::test
