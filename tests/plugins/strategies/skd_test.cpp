#include "tests/plugins/strategies/logits_loss.hpp"

namespace retort::test::skd_test {
namespace {

const Options kInstance = {{"mode", int64_t{1}}};
const Options kReleasedDirection = {{"form", int64_t{1}}};
const Options kReleasedInstance = {{"mode", int64_t{1}}, {"form", int64_t{1}}};

// torchdistill's SKDDirectionLoss and SKDInstanceLoss in mode paper, executed.
TEST(Skd, GivesTheReferenceValueOfThePaper) {
  expect_reference("logits.skd", {}, 1.58885997719, 0.407421457);
  expect_reference("logits.skd", kInstance, 0.315389505655, 0.030239327);
}

// The authors' SKD_loss and kd_loss with their masks, executed.
TEST(Skd, GivesTheReferenceValueOfTheReleasedCode) {
  expect_reference("logits.skd", kReleasedDirection, 0.0949229987687, 0.028775002);
  expect_reference("logits.skd", kReleasedInstance, 2.52311604524, 0.241914616);
}

TEST(Skd, HasTheGradientOfItsLoss) {
  for (const Options& options : {Options{}, kInstance, kReleasedDirection, kReleasedInstance})
    expect_true_gradient(golden_loss("logits.skd", options), student_logits());
}

// The root of a quadratic form, as the authors have it, has a gradient of NaN here.
TEST(Skd, IsZeroWhereStudentEqualsTeacher) {
  for (const Options& options : {Options{}, kInstance, kReleasedDirection, kReleasedInstance})
    expect_zero_where_equal("logits.skd", options);
}

TEST(Skd, ComparesDirectionsWhateverTheLengthOfTheLogits) {
  const double wanted = golden_value("logits.skd");
  const at::Tensor longer = student_logits() * (teacher_logits().slice(1, 0, 1).abs() + 1);
  EXPECT_NEAR(golden_loss("logits.skd")(longer).item<double>(), wanted,
              tolerance_of(at::kDouble).loss * wanted);
}

TEST(Skd, StaysFiniteOnExtremeLogits) {
  expect_finite_for_extreme_logits("logits.skd");
  expect_finite_for_extreme_logits("logits.skd", kInstance);
}

TEST(Skd, HasAFiniteGradientForLogitsOfZero) {
  const LossAndGradient found = differentiate(golden_loss("logits.skd"), student_logits() * 0);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Skd, DeclaresThatItNeedsTwoSamples) {
  EXPECT_EQ(choose(RETORT_KIND_STRATEGY, "logits.skd").info.batch_min, 2);
}

TEST(Skd, RefusesTeachersOfOtherClasses) { expect_to_refuse_other_classes("logits.skd"); }
TEST(Skd, RefusesASingleClass) { expect_to_refuse_one_class("logits.skd"); }

TEST(Skd, CountsAnExcludedClassAsProbabilityZeroInModeInstance) {
  expect_masked_reference("logits.skd", kInstance, 0.17248328034);
}

}  // namespace
}  // namespace retort::test::skd_test
