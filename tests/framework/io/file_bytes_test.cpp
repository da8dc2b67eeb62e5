#include "framework/io/file_bytes.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <zlib.h>

#include <string>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::host {
namespace {

using retort::test::AsPlainUser;
using retort::test::message_of;
using retort::test::Scratch;
using testing::AllOf;
using testing::HasSubstr;

constexpr size_t kMax = size_t{1} << 30;

std::string as_text(const FileBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string gzip(std::string text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string numbers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i * 7919 % 10007) + ' ';
  return text;
}

std::string refusal(const std::filesystem::path& path, size_t max_bytes = kMax) {
  return message_of<DataError>([&] { read_file(path, max_bytes); });
}

TEST(FileBytes, AreThoseOfAPlainFile) {
  const Scratch scratch;
  const auto path = scratch.put("a.bin", std::string("\0one\xff", 5));
  FileBytes first = read_file(path, 5);
  const FileBytes bytes = std::move(first);
  EXPECT_EQ(as_text(bytes), std::string("\0one\xff", 5));
  EXPECT_EQ(first.data(), nullptr);
}

TEST(FileBytes, AreNoneOfAnEmptyFile) {
  const Scratch scratch;
  EXPECT_EQ(read_file(scratch.put("empty", ""), 0).size(), 0U);
}

TEST(FileBytes, AreInflatedOfAGzipFileWhateverItsName) {
  const Scratch scratch;
  const std::string text = numbers(20000);
  EXPECT_EQ(as_text(read_file(scratch.put("plain.name", gzip(text)), kMax)), text);
  EXPECT_EQ(as_text(map_file(scratch.path("plain.name"), kMax)), gzip(text));
}

TEST(FileBytes, GrowOverSeveralSteps) {
  const Scratch scratch;
  const std::string text(size_t{40} << 20, 'x');
  EXPECT_TRUE(as_text(read_file(scratch.put("large.gz", gzip(text)), text.size())) == text);
}

TEST(FileBytes, JoinTheMembersOfAGzipFile) {
  const Scratch scratch;
  EXPECT_EQ(as_text(read_file(scratch.put("two.gz", gzip("one ") + gzip("two")), kMax)), "one two");
}

TEST(FileBytes, DoNotTrustTheSizeAGzipFileClaims) {
  const Scratch scratch;
  std::string packed = gzip("short");
  packed.replace(packed.size() - 4, 4, "\xff\xff\xff\xff");
  EXPECT_THAT(refusal(scratch.put("liar.gz", packed)),
              AllOf(HasSubstr("liar.gz"), HasSubstr("incorrect length check")));
}

TEST(FileBytes, OfAGzipFileCutOffAnywhereAreRefused) {
  const Scratch scratch;
  const std::string packed = gzip(numbers(200));
  for (size_t size = 2; size < packed.size(); ++size) {
    const std::string message = refusal(scratch.put("cut.gz", packed.substr(0, size)));
    ASSERT_THAT(message, AllOf(HasSubstr("cut.gz: gzip data is cut off at byte "),
                               HasSubstr(std::to_string(size))));
  }
}

TEST(FileBytes, OfADamagedGzipFileAreRefusedOrUnchanged) {
  const Scratch scratch;
  const std::string text = numbers(200);
  const std::string packed = gzip(text);
  size_t refused = 0;
  for (size_t at = 2; at < packed.size(); ++at) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    const auto path = scratch.put("bad.gz", damaged);
    const std::string message = refusal(path);
    if (message.empty()) {
      ASSERT_EQ(as_text(read_file(path, kMax)), text) << "byte " << at;  // a byte of the file times
    } else {
      ASSERT_THAT(message, HasSubstr("bad.gz: gzip data is "));
      ++refused;
    }
  }
  EXPECT_GE(refused, packed.size() - 12);
}

TEST(FileBytes, FollowedBySomethingElseAreRefusedByOffset) {
  const Scratch scratch;
  const std::string packed = gzip("one");
  EXPECT_THAT(refusal(scratch.put("tail.gz", packed + "junk")),
              HasSubstr("ends at byte " + std::to_string(packed.size())));
}

TEST(FileBytes, BeyondTheLimitAreRefused) {
  const Scratch scratch;
  EXPECT_THAT(refusal(scratch.put("plain", "12345"), 4),
              AllOf(HasSubstr("holds 5 bytes"), HasSubstr("at most 4")));
  const auto bomb = scratch.put("bomb.gz", gzip(std::string(size_t{64} << 20, '\0')));
  EXPECT_THAT(refusal(bomb, size_t{1} << 20), HasSubstr("more than 1048576 bytes"));
}

TEST(FileBytes, OfAHeadAreInflatedNoFurther) {
  const Scratch scratch;
  std::string packed = gzip(numbers(20000));
  packed[packed.size() - 8] ^= 0x41;  // the checksum: damage behind the head
  const auto path = scratch.put("head.gz", packed);
  EXPECT_EQ(as_text(read_head(path, 5)), "0 791");
  EXPECT_THAT(refusal(path), HasSubstr("is damaged"));
  EXPECT_EQ(as_text(read_head(scratch.put("short.gz", gzip("one")), 5)), "one");
  EXPECT_EQ(as_text(read_head(scratch.put("plain", "123456"), 5)), "12345");
}

TEST(FileBytes, OfWhatIsNoReadableFileAreRefusedWithTheReason) {
  const Scratch scratch;
  EXPECT_THAT(refusal(scratch.path("none")), HasSubstr("none: cannot open: No such file"));
  EXPECT_THAT(refusal(scratch.folder()), HasSubstr("is a folder"));
  ASSERT_EQ(mkfifo(scratch.path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(refusal(scratch.path("pipe")), HasSubstr("is no plain file"));
}

TEST(FileBytes, ThatMayNotBeReadAreRefused) {
  const Scratch scratch;
  const auto path = scratch.put("secret", "x");
  ASSERT_EQ(chmod(scratch.folder().c_str(), 0755), 0);
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  const AsPlainUser user;
  if (!user.active()) GTEST_SKIP() << "the superuser may read every file";
  EXPECT_THAT(refusal(path), HasSubstr("Permission denied"));
}

}  // namespace
}  // namespace retort::host
