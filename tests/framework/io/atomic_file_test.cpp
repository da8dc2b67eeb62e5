#include "framework/io/atomic_file.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <string>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::host {
namespace {

using retort::test::AsPlainUser;
using retort::test::content_of;
using retort::test::files_in;
using retort::test::message_of;
using retort::test::Scratch;
using testing::AllOf;
using testing::HasSubstr;

/// No file of this process may grow beyond `bytes` while this lives: a full disk, in effect.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  sighandler_t handler_;
};

std::string refusal(const std::filesystem::path& path, const std::string& text) {
  return message_of<EnvironmentError>([&] { atomic_write(path, text); });
}

TEST(AtomicFile, ReplacesTheContentAndLeavesNothingElse) {
  const Scratch scratch;
  const auto path = scratch.put("a.txt", "old and longer");
  atomic_write(path, "new");
  EXPECT_EQ(content_of(path), "new");
  EXPECT_EQ(files_in(scratch.folder()), 1U);
}

TEST(AtomicFile, ChangesNothingWithoutCommit) {
  const Scratch scratch;
  const auto path = scratch.put("a.txt", "old");
  AtomicFile(path).write("new");
  EXPECT_EQ(content_of(path), "old");
  EXPECT_EQ(files_in(scratch.folder()), 1U);
}

TEST(AtomicFile, HasTheRightsOfAnyNewFile) {
  const Scratch scratch;
  const mode_t mask = umask(027);
  atomic_write(scratch.path("a.txt"), "x");
  umask(mask);
  struct stat info {};
  ASSERT_EQ(stat(scratch.path("a.txt").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640U);
}

TEST(AtomicFile, KeepsTheOldContentWhenTheDiskIsFull) {
  const Scratch scratch;
  const auto path = scratch.put("a.txt", "old");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = refusal(path, std::string(5000, 'x'));
  }
  EXPECT_THAT(message, AllOf(HasSubstr(path.string()), HasSubstr("cannot write it: File too large"),
                             HasSubstr("ulimit")));
  EXPECT_EQ(content_of(path), "old");
  EXPECT_EQ(files_in(scratch.folder()), 1U);
}

TEST(AtomicFile, IsAnEnvironmentErrorWithoutItsFolder) {
  const Scratch scratch;
  EXPECT_THAT(refusal(scratch.path("none/a.txt"), "x"),
              AllOf(HasSubstr("cannot create it: No such file"), HasSubstr("make the folder")));
}

TEST(AtomicFile, IsRefusedInAFolderThatMayNotBeWritten) {
  const Scratch scratch;
  ASSERT_EQ(chmod(scratch.folder().c_str(), 0555), 0);
  std::string message;
  {
    const AsPlainUser user;
    if (!user.active()) GTEST_SKIP() << "the superuser may write everywhere";
    message = refusal(scratch.path("a.txt"), "x");
  }
  ASSERT_EQ(chmod(scratch.folder().c_str(), 0755), 0);
  EXPECT_THAT(message, AllOf(HasSubstr("Permission denied"), HasSubstr("this user may write")));
}

TEST(AtomicFile, DoesNotReplaceAFolder) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.path("a"));
  EXPECT_THAT(refusal(scratch.path("a"), "x"), HasSubstr("cannot rename it: Is a directory"));
  EXPECT_EQ(files_in(scratch.folder()), 1U);
}

TEST(AppendLine, TakesBackALineThatDoesNotFit) {
  const Scratch scratch;
  const auto path = scratch.path("lines");
  append_line(path, "one");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = message_of<EnvironmentError>([&] { append_line(path, std::string(5000, 'x')); });
  }
  EXPECT_THAT(message, AllOf(HasSubstr(path.string()), HasSubstr("append to it: File too large")));
  append_line(path, "two");
  EXPECT_EQ(content_of(path), "one\ntwo\n");
}

TEST(MakeFolders, MakesThoseAboveToo) {
  const Scratch scratch;
  make_folders(scratch.path("a/b/c"));
  make_folders(scratch.path("a/b"));
  EXPECT_TRUE(std::filesystem::is_directory(scratch.path("a/b/c")));
}

TEST(MakeFolders, IsAnEnvironmentErrorBelowAFile) {
  const Scratch scratch;
  const auto file = scratch.put("file", "x");
  const std::string message =
      message_of<EnvironmentError>([&] { make_folders(scratch.path("file/a/b")); });
  EXPECT_THAT(message, AllOf(HasSubstr(file.string()), HasSubstr("cannot create it: "),
                             HasSubstr("does not lead through a file")));
}

}  // namespace
}  // namespace retort::host
