// Data sets that say or read something impossible: each is refused in words, before memory is taken.
#include <gmock/gmock.h>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// `retort check` of an experiment on the data set "test.odd_data" with these options.
Finished check_odd(const std::vector<std::string>& options, const std::string& command = "check") {
  const Scratch scratch;
  const auto file = scratch.put("odd.toml",
                                "data = { dataset = \"test.odd_data\", batch_size = 32 }\n"
                                "student = { model = \"convnet\", width = 0.25 }\n"
                                "train = { epochs = 1 }\nrun = { threads = 1, out = \"" +
                                    scratch.path("runs").string() + "\" }\n");
  std::vector<std::string> arguments = {command, file.string(), "--plugins", RETORT_ODD_DIR};
  for (const std::string& option : options) arguments.push_back("data." + option);
  return retort(arguments);
}

void expect_refused(const std::vector<std::string>& options, const std::string& what) {
  const Finished check = check_odd(options);
  EXPECT_EQ(check.code, 3) << options.front();
  EXPECT_THAT(check.err, AllOf(HasSubstr("test.odd_data 1.0.0 ("), HasSubstr(what)));
}

TEST(OddData, IsSoundWithoutAnOption) {
  const Finished check = check_odd({});
  EXPECT_EQ(check.code, 0);
  EXPECT_EQ(check.err, "");
}

TEST(OddData, WithoutTestSamplesIsRefusedByCheckAndRun) {
  expect_refused({"test=0"}, "open() gives test_count = 0: no test samples");
  EXPECT_EQ(check_odd({"test=0"}, "run").code, 3);
}

TEST(OddData, OfImpossibleCountsIsRefusedByTheirNames) {
  expect_refused({"test=-3"}, "open() gives test_count = -3; it must be 1 to ");
  const std::string most = "9223372036854775807";
  expect_refused({"train=" + most}, "open() gives train_count = " + most + "; it must be 1 to ");
  expect_refused({"width=" + most}, "open() gives width = " + most + "; it must be 1 to ");
  expect_refused({"classes=" + most}, "class_count = " + most + "; it must be 1 to 16,777,216");
  expect_refused({"train=0"}, "train_count = 0; it must be 1 to ");
  expect_refused({"channels=70000"}, "channels = 70000; it must be 1 to 65,536");
  expect_refused({"classes=0"}, "class_count = 0; it must be 1 to ");
}

TEST(OddData, BeyondTheMachinesMemoryIsRefusedBeforeItIsTaken) {
  const Finished check =
      check_odd({"train=1000000000", "height=100000", "width=100000", "channels=3"});
  EXPECT_EQ(check.code, 5);
  EXPECT_THAT(check.err,
              AllOf(HasSubstr("1,000,000,000 training and 32 test images of 3 x 100000 x "
                              "100000 take "),
                    HasSubstr("GiB; this machine has ")));
}

TEST(OddData, WithStatisticsOfOtherPixelsIsRefused) {
  expect_refused({"mean=125.3"},
                 "open() gives mean = 125.3 for channel 0; it is of pixels in [0, 1]");
  expect_refused({"stddev=0"}, "open() gives stddev = 0 for channel 0");
  expect_refused({"stddev=-1"}, "open() gives stddev = nan for channel 0");
}

TEST(OddData, WithALabelOutsideItsClassesNamesTheSample) {
  expect_refused({"label=4"}, "training sample 32 has label 4; labels are 0 to 3");
  expect_refused({"label=-2"}, "training sample 32 has label -2; labels are 0 to 3");
  expect_refused({"test_label=9"}, "test sample 16 has label 9; labels are 0 to 3");
  expect_refused({"leaves_out=labels"},
                 "read() left out the labels of 1 of 64 training samples, the first of them sample "
                 "63; it must write every one");
}

TEST(OddData, ThatLeavesPixelsOutNamesTheFirstSampleAndHowMany) {
  expect_refused({"leaves_out=pixels"},
                 "read() left out pixels of 64 of 64 training samples, the first of them sample 0; "
                 "it must write every one");
  expect_refused({"leaves_out=sample"},
                 "pixels of 1 of 64 training samples, the first of them sample 5;");
  expect_refused({"leaves_out=half_of_two"},
                 "pixels of 2 of 64 training samples, the first of them sample 3;");
}

TEST(OddData, WhosePixelsAreAllAlikeIsTold) {
  const Finished check = check_odd({"pixel=7"});
  EXPECT_EQ(check.code, 0) << check.err;
  EXPECT_THAT(check.err, HasSubstr("every pixel of the training images is 7"));
  EXPECT_THAT(check_odd({}).err, Not(HasSubstr("every pixel")));
}

TEST(OddData, WhoseLabelsAreOfOneClassNamesIt) {
  const Finished train = check_odd({"one_class=2", "name_bytes=3"});
  EXPECT_EQ(train.code, 0) << train.err;
  EXPECT_THAT(train.err, HasSubstr("warning: test.odd_data 1.0.0: all 64 training labels are of "
                                   "class 2 \"ccc\", of 4 classes; check the files"));
  EXPECT_THAT(train.err, Not(HasSubstr("test labels")));
  EXPECT_THAT(check_odd({"one_test_class=1"}).err,
              HasSubstr("all 32 test labels are of class 1, of 4 classes; check the files"));
  EXPECT_THAT(check_odd({"one_class=2", "train_samples=40"}).err,
              HasSubstr("all 40 training labels are of class 2, of 4 classes; check "
                        "data.train_samples"));
  EXPECT_THAT(check_odd({"test=1"}).err, Not(HasSubstr("test labels")));
}

TEST(OddData, WithoutASampleOfAClassNamesTheClass) {
  EXPECT_THAT(check_odd({"empty_class=2"}).err,
              HasSubstr("1 of 4 classes have no training sample: 2\n"));
  EXPECT_THAT(check_odd({"empty_class=2", "train=39"}).err, Not(HasSubstr("no training sample")))
      << "of so few samples a class may have none by chance";
}

TEST(OddData, WhoseImagesAreAllAlikeIsTold) {
  EXPECT_THAT(check_odd({"alike=true"}).err, HasSubstr("all 64 training images are alike"));
}

TEST(OddData, WhoseTestImagesAreTrainingImagesIsTold) {
  EXPECT_THAT(check_odd({"test_is_train=true"}).err,
              HasSubstr("32 of 32 test images are training images too, byte by byte"));
}

TEST(OddData, WithAClassNameThatIsTooLongIsRefused) {
  EXPECT_EQ(check_odd({"name_bytes=1000"}).code, 0);
  expect_refused({"name_bytes=1001"},
                 "open() gives class 0 a name of 1,001 bytes; it must be at most 1,000");
}

TEST(OddData, WithFewerSamplesThanABatchIsRefused) {
  const Finished check = check_odd({"train=31"});
  EXPECT_EQ(check.code, 2);
  EXPECT_THAT(check.err, HasSubstr("data.batch_size = 32 is more than the 31 training samples"));
}

TEST(OddData, OfOneClassIsTold) {
  EXPECT_THAT(check_odd({"classes=1"}).err, HasSubstr("has one class: every accuracy is 100 %"));
}

TEST(OddData, OfMoreThan65535ClassesTrains) {
  const Finished run = check_odd({"classes=70000", "label=69999", "test_label=69999"}, "run");
  EXPECT_EQ(run.code, 0) << run.err;
}

}  // namespace
}  // namespace retort::test
