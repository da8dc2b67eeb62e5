#include "framework/report/progress.hpp"

#include <gmock/gmock.h>

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ProgressText : public testing::Test {
 protected:
  const std::string phase_ = "distil";
  const std::vector<std::pair<std::string, double>> losses_ = {
      {"task", 0.412}, {"logits.kd", 1.93}, {"loss", 2.0}};
  const host::Progress progress_ = {phase_, 1, 3, 50, 100, 2140.4, 81.0, losses_};
};

TEST_F(ProgressText, ShowsSpeedTermsAndTimeLeft) {
  EXPECT_EQ(host::progress_text(progress_, 200),
            "distil    epoch 2/3  [##########----------]  50 %  2140 img/s  eta 1:21  task 0.412"
            "  logits.kd 1.93");
}

TEST_F(ProgressText, LeavesTheBarOutWhereItDoesNotFitAndNeverIsWider) {
  EXPECT_THAT(host::progress_text(progress_, 80),
              AllOf(Not(HasSubstr("#")), HasSubstr("task 0.412  logits.kd 1.93")));
  EXPECT_EQ(host::progress_text(progress_, 30), "distil    epoch 2/3   50 %  21");
}

TEST_F(ProgressText, IsWholeAndWithoutABarInALog) {
  EXPECT_THAT(host::progress_text(progress_, 0),
              AllOf(Not(HasSubstr("#")), HasSubstr("logits.kd 1.93")));
}

TEST(EpochText, TellsTheAccuracyOfTheOnlyLearnerOrOfEachByName) {
  host::EpochReport report;
  report.epoch = 2;
  report.lr = 0.05;
  report.losses = {{"task", 0.25}, {"loss", 0.25}};
  report.train_seconds = 12.34;
  report.learners = {{"a", {153, 250}, {}, true}};
  EXPECT_EQ(host::epoch_text("alone", 3, report),
            "alone     epoch 2/3  top-1 61.20 %  task 0.25  lr 0.05  12.3 s");
  report.learners.push_back({"b", {601, 1000}, {}, false});
  EXPECT_EQ(host::epoch_text("both", 3, report),
            "both      epoch 2/3  top-1 a 61.20 %, b 60.10 %  task 0.25  lr 0.05  12.3 s");
}

}  // namespace
}  // namespace retort::test
