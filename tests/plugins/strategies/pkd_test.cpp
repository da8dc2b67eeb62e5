#include <ATen/ops/conv2d.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::pkd_test {
namespace {

using testing::HasSubstr;

// mmrazor's PKDLoss, executed.
void expect_reference_value(at::ScalarType type) {
  expect_golden(feature_loss("feature.pkd", teacher_map().to(type), teacher_map().to(type)),
                student_map().to(type), 0.944782019659, 0.0712665193);
}
TEST(Pkd, GivesTheReferenceValueInFloat64) { expect_reference_value(at::kDouble); }
TEST(Pkd, GivesTheReferenceValueInFloat32) { expect_reference_value(at::kFloat); }

TEST(Pkd, HasTheGradientOfItsLoss) {
  expect_true_gradient(feature_loss("feature.pkd", teacher_map(), teacher_map()), student_map());
}

TEST(Pkd, IsZeroWhereStudentEqualsTeacher) {
  expect_zero(feature_loss("feature.pkd", teacher_map(), teacher_map()), teacher_map());
}

TEST(Pkd, IgnoresPlaceAndScaleOfAChannel) {
  const at::Tensor moved = teacher_map() * 3 + 5;
  EXPECT_NEAR(value(feature_loss("feature.pkd", teacher_map(), teacher_map()), moved), 0,
              tolerance_of(at::kDouble).loss);
}

/// As mmrazor lays a map out: one row a channel.
at::Tensor rows(const at::Tensor& map) {
  const at::Tensor row = map.permute({1, 0, 2, 3}).reshape({map.size(1), -1});
  return (row - row.mean(1, true)) / (row.std(1, true, true) + 1e-6);
}

TEST(Pkd, AlignsChannelsAndResizesTheStudentBilinearly) {
  for (const at::Tensor& map : {large_student_map(), second_student_map()}) {
    const at::Tensor student = map.slice(1, 0, 5), teacher = teacher_map();
    const auto rig = feature_rig("feature.pkd", {student}, {teacher});
    const Loss formula = [&](const at::Tensor& given) {
      const at::Tensor aligned =
          at::conv2d(given, rig->parameter("align0.weight"), rig->parameter("align0.bias"));
      const at::Tensor resized = at::upsample_bilinear2d(aligned, {4, 4}, false);
      return at::mse_loss(rows(resized), rows(teacher)) / 2;
    };
    expect_formula(loss_of(rig, teacher), formula, student);
  }
}

TEST(Pkd, SumsTheLossesOfSeveralLevels) {
  StrategyRig rig("feature.pkd");
  const at::Tensor sum = rig.loss(features_of({student_map(), second_student_map()}),
                                  features_of({teacher_map(), second_teacher_map()}));
  const double parts =
      value(feature_loss("feature.pkd", teacher_map(), teacher_map()), student_map()) +
      value(feature_loss("feature.pkd", second_teacher_map(), second_teacher_map()),
            second_student_map());
  EXPECT_NEAR(sum.item<double>(), parts, tolerance_of(at::kDouble).loss);
}

TEST(Pkd, HasAFiniteGradientForAConstantChannel) {
  at::Tensor student = student_map();
  student.select(1, 2).fill_(1);
  const LossAndGradient found =
      differentiate(feature_loss("feature.pkd", teacher_map(), teacher_map()), student);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Pkd, RefusesAMapOfASinglePixel) {
  const std::string message = message_of<host::ShapeError>([] {
    feature_rig("feature.pkd", {student_map()}, {teacher_map().mean({2, 3}, true)});
  });
  EXPECT_THAT(message, HasSubstr("the teacher's feature map [4, 6, 1, 1] has a single pixel"));
  EXPECT_THAT(message, HasSubstr("bind a tap before the pooling"));
}

}  // namespace
}  // namespace retort::test::pkd_test
