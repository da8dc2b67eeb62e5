// Runs with train.non_finite = "skip" and "rollback" that are killed: they end with the bytes of one
// that was not.
#include <gmock/gmock.h>
#include <spdlog/fmt/fmt.h>

#include <csignal>

#include "framework/run/checkpoint.hpp"
#include "tests/framework/run/resuming.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Four steps an epoch; step 6, in the second of two, is not finite at the full learning rate.
std::vector<std::string> arguments(const Scratch& scratch, const std::string& policy,
                                   const std::string& below,
                                   const std::string& student = "model = \"convnet\"") {
  constexpr const char* kText = R"toml(name = "spoilt"
seed = 3
student = {{ {student} }}
baseline = {{ student_alone = false }}

[data]
dataset = "synthetic"
train = 128
test = 64
size = 8
batch_size = 32

[[transfer]]
name = "spoils"
strategy = "test.spoils"
at = 6
below = {below}

[train]
epochs = 2
optimizer = {{ name = "adam", lr = 0.01 }}
ema = 0.9
non_finite = "{policy}"

[run]
device = "cpu"
threads = 1
checkpoint_steps = 1
out = "{out}"
)toml";
  const std::string text =
      fmt::format(fmt::runtime(kText), fmt::arg("student", student), fmt::arg("below", below),
                  fmt::arg("policy", policy), fmt::arg("out", scratch.path("runs").string()));
  return {"run", scratch.put("spoilt.toml", text).string(), "--plugins", RETORT_FAULTS_DIR};
}

std::vector<std::string> resuming(const fs::path& run) {
  return {"run", "--resume", run.string(), "--plugins", RETORT_FAULTS_DIR};
}

/// The run folder of a run that is killed when it begins to write that state.
fs::path killed_before(int state, const Scratch& scratch, const std::string& policy,
                       const std::string& below) {
  const fs::path run = scratch.path("runs/spoilt/001");
  const std::string file = "checkpoints/resume/00000" + std::to_string(state);
  const Environment shim({{"LD_PRELOAD", RETORT_FILE_SHIM},
                          {"RETORT_SHIM_UNDER", (run / file).string()},
                          {"RETORT_SHIM_KILL_AT", "1"}});
  const Finished killed = retort(arguments(scratch, policy, below));
  EXPECT_EQ(killed.code, 1000 + SIGKILL) << killed.err;
  return run;
}

void expect_resumes_alike(const std::string& policy, const std::string& below,
                          const std::string& told) {
  const Scratch whole;
  const Finished finished = retort(arguments(whole, policy, below));
  ASSERT_EQ(finished.code, 0) << finished.err;
  ASSERT_THAT(finished.err, HasSubstr(told));
  // States 5, 6 and 7 are the start of the second epoch and its first two steps; 8 and 9 follow the
  // bad one.
  for (const int state : slow() ? std::vector{6, 7, 8, 9} : std::vector{7, 9}) {
    const Scratch scratch;
    const fs::path run = killed_before(state, scratch, policy, below);
    const Finished resumed = retort(resuming(run));
    ASSERT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_TRUE(result_of(run) == result_of(whole.path("runs/spoilt/001")))
        << "killed before state " << state << "\n"
        << resumed.err;
  }
}

TEST(Rollback, ThatAResumedRunMakesReturnsToTheEpochsStart) {
  // The parameter falls by the rate each step: to -0.06 before step 6, and to -0.05 the second time.
  expect_resumes_alike("rollback", "-0.055",
                       "step 6: the loss term \"spoils\" is NaN; lower the learning rate or a "
                       "term's weight, or set train.clip_norm; back to the start of epoch 2");
}

TEST(Skip, OfARunThatIsResumedLeavesTheSameBytes) {
  expect_resumes_alike("skip", "1e30", "the step is skipped");
}

TEST(Rollback, OfAStateWithoutItsPointGoesOnAndIsTold) {
  const Scratch scratch;
  const fs::path run = killed_before(7, scratch, "rollback", "-0.055");
  host::CheckpointStore store(run / "checkpoints/resume");
  host::CheckpointStore::Found found = store.newest().value();
  ASSERT_TRUE(found.checkpoint.rollback);
  found.checkpoint.rollback.reset();  // as older versions saved it
  std::erase_if(found.tensors,
                [](const auto& entry) { return entry.first.starts_with("rollback/"); });
  store.save(found.checkpoint, found.tensors);
  const Finished resumed = retort(resuming(run));
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("does not hold the start of epoch 2"));
}

TEST(ABufferThatIsNotFinite, EndsWithExitCode4AndNoWeightsFile) {
  for (const std::string policy : {"stop", "skip", "rollback"}) {
    const Scratch scratch;
    auto line = arguments(scratch, policy, "1e30", R"(model = "test.faulty", wrong = "buffer")");
    line.push_back("transfer[0].at=-1");
    const Finished run = retort(line);
    EXPECT_EQ(run.code, 4) << run.err;
    EXPECT_THAT(run.err, HasSubstr("\"over.running_var\" holds infinity"));
    const fs::path folder = scratch.path("runs/spoilt/001");
    EXPECT_FALSE(fs::exists(folder / "student.safetensors"));
    EXPECT_FALSE(fs::exists(folder / "checkpoints/distil-last.safetensors"));
    // Where all steps are skipped, the start values make a best epoch.
    if (policy == "skip") continue;
    EXPECT_FALSE(fs::exists(folder / "checkpoints/distil-best.safetensors"));
  }
}

}  // namespace
}  // namespace retort::test
