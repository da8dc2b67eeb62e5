#include "framework/report/tensorboard.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

TEST(Crc32c, GivesTheValuesOfRfc3720) {
  EXPECT_EQ(host::crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(host::crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(host::crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
}

TEST(TfRecord, FramesItsDataWithLengthAndMaskedChecksums) {
  const std::string record = host::tf_record("abc");
  ASSERT_EQ(record.size(), 8u + 4 + 3 + 4);
  EXPECT_EQ(record.substr(0, 8), bytes({3, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(record.substr(12, 3), "abc");
  // The CRC rotated right by 15 bits, plus a constant.
  const uint32_t crc = 0x364B3FB7, masked = (crc >> 15 | crc << 17) + 0xA282EAD8;
  ASSERT_EQ(host::crc32c("abc"), crc);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(static_cast<uint8_t>(record[15 + i]), static_cast<uint8_t>(masked >> (8 * i)));
  }
}

TEST(ScalarEvent, IsTheMessageThatProtobufWrites) {
  EXPECT_EQ(host::scalar_event(1.0, 300, {{"a", 0.5}}),
            bytes({0x09, 0,    0,    0,    0, 0, 0, 0xF0, 0x3F,  // wall_time = 1
                   0x10, 0xAC, 0x02,                             // step = 300
                   0x2A, 10,   0x0A, 8,                          // summary { value {
                   0x0A, 1,    'a',  0x15, 0, 0, 0, 0x3F}));     // tag = "a", simple_value = 0.5
}

TEST(ScalarEvent, BeginsAFileWithItsVersion) {
  EXPECT_EQ(host::scalar_event(1.0, 0, {}).substr(9), bytes({0x1A, 13}) + "brain.Event:2");
}

/// The event file of two epochs of one phase.
std::filesystem::path two_epochs(const Scratch& scratch) {
  host::EventFile events(scratch.folder());
  host::EpochReport report;
  report.losses = {{"logits.kd", 0.25}};
  report.metrics = {{"gap", 1.5}};
  for (report.epoch = 1; report.epoch <= 2; ++report.epoch) {
    report.learners = {{"student", {report.epoch, 4}, {}, false}};
    events.add("distil", report);
  }
  const std::filesystem::path file = std::filesystem::directory_iterator(scratch.folder())->path();
  EXPECT_THAT(file.filename().string(), StartsWith("events.out.tfevents."));
  return file;
}

TEST(EventFile, HoldsARecordForItsVersionAndOneForEachEpoch) {
  const Scratch scratch;
  const std::string content = content_of(two_epochs(scratch));
  size_t records = 0;
  for (size_t at = 0; at < content.size(); ++records) {
    const auto size = static_cast<size_t>(static_cast<uint8_t>(content[at])) |
                      static_cast<size_t>(static_cast<uint8_t>(content[at + 1])) << 8;
    const std::string data = content.substr(at + 12, size);
    const std::string whole = content.substr(at, size + 16);
    EXPECT_EQ(host::tf_record(data), whole);
    at += whole.size();
  }
  EXPECT_EQ(records, 1u + 2);
}

/// The event file of one epoch in which these networks learn.
std::string event_of(const std::vector<std::string>& names) {
  const Scratch scratch;
  host::EventFile events(scratch.folder());
  host::EpochReport report;
  report.epoch = 1;
  for (const std::string& name : names) report.learners.push_back({name, {1, 4}, {}, false});
  events.add("both", report);
  return content_of(std::filesystem::directory_iterator(scratch.folder())->path());
}

TEST(EventFile, TagsAnAccuracyWithItsNetworkWhereSeveralLearn) {
  const std::string tag = "both/top1";
  EXPECT_THAT(event_of({"student"}), AllOf(HasSubstr(tag + "\x15"), Not(HasSubstr("student"))));
  EXPECT_THAT(event_of({"a", "b"}), AllOf(HasSubstr(tag + "/a\x15"), HasSubstr(tag + "/b\x15"),
                                          Not(HasSubstr(tag + "\x15"))));
}

TEST(EventFile, IsReadByTensorBoard) {
  const char* given = std::getenv("RETORT_PYTHON");
  const std::string python = given == nullptr ? "python3" : given;
  const std::string module = "tensorboard.backend.event_processing.event_accumulator";
  if (std::system((python + " -c 'import " + module + "' 2> /dev/null").c_str()) != 0) {
    GTEST_SKIP() << python << " has no tensorboard; RETORT_PYTHON names one that has";
  }
  const Scratch scratch;
  const std::string script = "import sys\nfrom " + module +
                             " import EventAccumulator\n"
                             "events = EventAccumulator(sys.argv[1])\nevents.Reload()\n"
                             "top1 = [(e.step, e.value) for e in events.Scalars('distil/top1')]\n"
                             "assert top1 == [(1, 25), (2, 50)], top1\n"
                             "assert events.Scalars('distil/losses/logits.kd')[1].value == 0.25\n"
                             "assert events.Scalars('distil/metrics/gap')[0].value == 1.5\n";
  const std::string command = python + " " + scratch.put("read.py", script).string() + " " +
                              two_epochs(scratch).parent_path().string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace retort::test
