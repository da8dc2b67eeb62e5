#include "framework/train/evaluate.hpp"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "tests/framework/train/train_rig.hpp"

namespace retort::test {
namespace {

using testing::ElementsAre;

/// Logits whose softmax is exactly the row: three classes, four samples.
at::Tensor known_logits() {
  return at::tensor({0.7, 0.2, 0.1, 0.6, 0.3, 0.1, 0.1, 0.8, 0.1, 0.25, 0.35, 0.4})
      .reshape({4, 3})
      .log();
}

const at::Tensor kLabels = at::tensor({0L, 1L, 1L, 2L});

TEST(Evaluation, CountsWhatIsRightInAllAndByClass) {
  const host::Evaluation evaluation = host::evaluation_of(known_logits(), kLabels);
  EXPECT_EQ(evaluation.samples, 4);
  EXPECT_EQ(evaluation.top1_correct, 3);
  EXPECT_EQ(evaluation.top5_correct, 4);  // of three classes, all are among the five
  EXPECT_THAT(evaluation.predictions, ElementsAre(0, 0, 1, 2));
  EXPECT_THAT(evaluation.class_correct, ElementsAre(1, 1, 1));
  EXPECT_THAT(evaluation.class_total, ElementsAre(1, 2, 1));
}

TEST(Evaluation, MeansTheCrossEntropy) {
  const double wanted = -(std::log(0.7) + std::log(0.3) + std::log(0.8) + std::log(0.4)) / 4;
  EXPECT_NEAR(host::evaluation_of(known_logits(), kLabels).cross_entropy, wanted, 1e-6);
}

TEST(Evaluation, MeasuresTheCalibrationErrorInBinsOfAFifteenth) {
  // 0.7, 0.6, 0.8 and 0.4 lie in bins of their own: gaps 0.3, 0.6, 0.2 and 0.6.
  EXPECT_NEAR(host::evaluation_of(known_logits(), kLabels).calibration_error, 1.7 / 4, 1e-6);
  // 0.68 and 0.72 share the bin (10/15, 11/15]: one is right, so 1.40 of confidence meets 1.
  const at::Tensor both = at::tensor({0.68, 0.32, 0.72, 0.28}).reshape({2, 2}).log();
  const host::Evaluation shared = host::evaluation_of(both, at::tensor({0L, 1L}));
  EXPECT_NEAR(shared.calibration_error, 0.4 / 2, 1e-6);
}

TEST(Evaluation, TakesTheFiveLargestOfMoreClasses) {
  const at::Tensor logits = at::tensor({6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 1.0}).repeat({3, 1});
  // Class 4 is the fifth; 5 is the sixth, and 0 the first.
  EXPECT_EQ(host::evaluation_of(logits, at::tensor({4L, 5L, 0L})).top5_correct, 2);
}

/// Under UBSan also: without an index made of a NaN.
TEST(Evaluation, FindsNothingRightInNaN) {
  const at::Tensor logits =
      at::tensor(std::vector<double>(7, std::numeric_limits<double>::quiet_NaN())).reshape({1, 7});
  const host::Evaluation found = host::evaluation_of(logits, at::tensor({3L}));
  EXPECT_EQ(found.top5_correct, 0);
  EXPECT_TRUE(std::isnan(found.calibration_error));
}

TEST(Evaluation, ComparesWithTheTeacherSampleBySample) {
  host::Evaluation student = host::evaluation_of(known_logits(), kLabels);
  host::Evaluation teacher = student;
  teacher.predictions = {0, 1, 1, 1};
  host::compare_with_teacher(student, teacher);
  EXPECT_EQ(student.agreement, 0.5);
  using Entry = host::ConfusionEntry;
  EXPECT_THAT(student.confusion,
              ElementsAre(Entry{0, 0, 1}, Entry{1, 0, 1}, Entry{1, 1, 1}, Entry{1, 2, 1}));
}

/// A table of all pairs would take 78 GB.
TEST(Evaluation, TakesMoreClassesThan65535AndMemoryForTheirPairsOnly) {
  constexpr int64_t kClasses = 99000;
  const at::Tensor logits = at::zeros({2, kClasses});
  logits[0][70000] = 1;
  logits[1][98999] = 1;
  host::Evaluation student = host::evaluation_of(logits, at::tensor({70000L, 4464L}));
  EXPECT_EQ(student.top1_correct, 1);
  EXPECT_THAT(student.predictions, ElementsAre(70000, 98999));
  EXPECT_EQ(student.class_correct.at(70000), 1);
  host::compare_with_teacher(student, student);
  EXPECT_EQ(student.confusion.at(1), (host::ConfusionEntry{98999, 98999, 1}));
}

TEST(Evaluation, OfANetworkAgreesWithItsAccuracyAndWithItself) {
  TrainingRig rig;
  rig.losses_of(8);
  const host::Accuracy accuracy = host::evaluate(*rig.student, rig.data, rig.views, 24);
  const host::Evaluation whole = host::evaluate_in_detail(*rig.student, rig.data, rig.views, 64);
  const host::Evaluation parts =
      host::evaluate_in_detail(*rig.student, rig.data, rig.views, 24, &whole);
  EXPECT_EQ(parts.samples, rig.data.test.size());
  EXPECT_EQ(parts.top1_correct, accuracy.correct);
  EXPECT_EQ(parts.agreement, 1.0);
  EXPECT_EQ(parts.predictions, whole.predictions);
}

}  // namespace
}  // namespace retort::test
