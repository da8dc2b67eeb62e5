// A disk that is full, broken or read-only: an error with file and reason, exit code 5, and what was
// saved before is good: the run goes on when the disk does, to the same bytes.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "tests/framework/run/resuming.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

bool has_a_state(const fs::path& run) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints/resume", none)) {
    if (entry.path().extension() == ".json") return true;
  }
  return false;
}

void expect_told(const Finished& failed, const Scratch& scratch, int error) {
  EXPECT_EQ(failed.code, 5);
  EXPECT_THAT(failed.err, AllOf(HasSubstr(scratch.path("runs").string()),
                                HasSubstr(std::strerror(error)), HasSubstr("; ")));
  EXPECT_THAT(failed.out + failed.err, AllOf(Not(HasSubstr("wrote")), Not(HasSubstr("saved"))));
}

/// The disk works again. What had begun is resumed, from its newest state where it had saved one;
/// otherwise the experiment is started again.
void expect_goes_on(const Scratch& scratch) {
  fs::path run = scratch.path("runs/tiny/001");
  const bool begun = fs::exists(run / "experiment.toml");
  const bool saved = has_a_state(run);
  const Finished finished = begun ? retort({"run", "--resume", run.string()})
                                  : retort({"run", scratch.path("tiny.toml").string()});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, Not(HasSubstr("damaged")));
  if (saved) {
    EXPECT_THAT(finished.err, AnyOf(HasSubstr("resumes "), HasSubstr("finished before")));
  }
  if (!begun && fs::exists(scratch.path("runs/tiny/002"))) run = scratch.path("runs/tiny/002");
  EXPECT_TRUE(result_of(run) == expected()) << "other bytes\n" << finished.err;
}

/// Runs the tiny experiment again and again, each time with a fault at a later file operation, and
/// resumes it.
void expect_survives_at_any_operation(const char* variable, int error) {
  ASSERT_FALSE(expected().empty());
  int operation = 1;
  for (;; operation += slow() ? 3 : 47) {
    SCOPED_TRACE("operation " + std::to_string(operation));
    const Scratch scratch;
    const fs::path experiment = tiny_experiment(scratch);
    Finished failed;
    {
      const Environment shim({{"LD_PRELOAD", RETORT_FILE_SHIM},
                              {"RETORT_SHIM_UNDER", scratch.path("runs").string()},
                              {"RETORT_SHIM_ERRNO", std::to_string(error)},
                              {variable, std::to_string(operation)}});
      failed = retort({"run", experiment.string()});
    }
    if (failed.code == 0) break;
    expect_told(failed, scratch, error);
    expect_goes_on(scratch);
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << failed.err;
      return;
    }
  }
  EXPECT_GT(operation, 150);  // or the shim did not see the saves
}

TEST(Disk, FullFromAnyOperationOn) {
  expect_survives_at_any_operation("RETORT_SHIM_FAIL_FROM", ENOSPC);
}

TEST(Disk, BrokenAtAnyOperation) { expect_survives_at_any_operation("RETORT_SHIM_FAIL_AT", EIO); }

/// A disk in memory of which this process and its children alone know.
class OwnDisk {
 public:
  OwnDisk(fs::path folder, const std::string& size) : folder_(std::move(folder)) {
    static const bool apart =
        unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    fs::create_directories(folder_);
    mounted_ = apart && mount("tmpfs", folder_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  OwnDisk(const OwnDisk&) = delete;
  OwnDisk& operator=(const OwnDisk&) = delete;
  ~OwnDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }

  /// False where this user may not mount.
  bool mounted() const { return mounted_; }
  void change(const std::string& size, unsigned long flags) const {
    EXPECT_EQ(
        mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT | flags, ("size=" + size).c_str()), 0)
        << std::strerror(errno);
  }

 private:
  fs::path folder_;
  bool mounted_ = false;
};

constexpr const char* kNoMount =
    "this user may not mount a disk of its own (it takes the superuser)";

TEST(Disk, ThatIsReallyFull) {
  int full = 0;
  for (int kilobytes = 16; kilobytes < 4096; kilobytes *= 2) {
    SCOPED_TRACE(std::to_string(kilobytes) + " KiB");
    const Scratch scratch;
    const OwnDisk disk(scratch.path("runs"), std::to_string(kilobytes) + "k");
    if (!disk.mounted()) GTEST_SKIP() << kNoMount;
    const Finished run = retort({"run", tiny_experiment(scratch).string()});
    if (run.code == 0) break;
    ++full;
    expect_told(run, scratch, ENOSPC);
    disk.change("64m", 0);
    expect_goes_on(scratch);
  }
  EXPECT_GE(full, 3);
}

/// A run that was killed in its last phase, on a disk of its own.
class ReadOnlyDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << kNoMount;
    const Environment shim({{"LD_PRELOAD", RETORT_FILE_SHIM},
                            {"RETORT_SHIM_UNDER", (run() / "checkpoints/distil-last").string()},
                            {"RETORT_SHIM_KILL_AT", "1"}});
    ASSERT_EQ(retort({"run", tiny_experiment(scratch_).string()}).code, 1000 + SIGKILL);
    disk_.change("64m", MS_RDONLY);
  }
  fs::path run() const { return scratch_.path("runs/tiny/001"); }

  Scratch scratch_;
  OwnDisk disk_{scratch_.path("runs"), "64m"};
};

TEST_F(ReadOnlyDisk, IsToldWhenARunIsResumedAndLosesNothing) {
  expect_told(retort({"run", "--resume", run().string()}), scratch_, EROFS);
  EXPECT_TRUE(has_a_state(run()));
  disk_.change("64m", 0);
  expect_goes_on(scratch_);
}

TEST_F(ReadOnlyDisk, IsToldWhenARunIsStarted) {
  expect_told(retort({"run", scratch_.path("tiny.toml").string()}), scratch_, EROFS);
}

TEST(Disk, WithAFileWhereAFolderShouldBe) {
  const Scratch scratch;
  scratch.put("runs", "a file");
  expect_told(retort({"run", tiny_experiment(scratch).string()}), scratch, EEXIST);
  EXPECT_EQ(content_of(scratch.path("runs")), "a file");
}

TEST(Disk, WhereTheUserMayNotWrite) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may write everywhere";
  const Scratch scratch;
  ASSERT_EQ(retort({"run", tiny_experiment(scratch).string()}).code, 0);
  const fs::path run = scratch.path("runs/tiny/001");
  fs::remove(run / "run.json");  // not finished, then
  fs::permissions(run, fs::perms::owner_read | fs::perms::owner_exec);
  const Finished resumed = retort({"run", "--resume", run.string()});
  fs::permissions(run, fs::perms::owner_all);
  expect_told(resumed, scratch, EACCES);
}

}  // namespace
}  // namespace retort::test
