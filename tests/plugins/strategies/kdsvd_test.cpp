#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include <limits>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/feature_loss.hpp"

namespace retort::test::kdsvd_test {
namespace {

using testing::HasSubstr;
using Maps = std::vector<at::Tensor>;

const Options kWidth = {{"columns", int64_t{1}}};

/// A map whose samples have full rank, unlike the golden ones.
at::Tensor rough_map(const std::vector<int64_t>& sizes, double phase) {
  return from_formula(sizes, [phase](const auto& i) {
    return std::sin(1.9 * i[0] + 7.2 * i[1] * i[1] + 3.7 * i[2] * i[2] + 1.1 * i[3] * i[3] * i[3] +
                    5.3 * i[1] * i[2] * i[3] + phase);
  });
}

// Channels agree in pairs; heights and widths need not. The last has fewer pixels than channels. In
// one sample of the first the student's fourth vector is the nearest.
Maps rough_student() {
  return {rough_map({2, 6, 4, 4}, 2.5), rough_map({2, 5, 3, 3}, 2.5), rough_map({2, 6, 2, 2}, 2.5)};
}
Maps rough_teacher() {
  return {rough_map({2, 6, 3, 3}, 0), rough_map({2, 5, 4, 4}, 0), rough_map({2, 6, 3, 3}, 0)};
}

// RepDistiller's KDSVD, executed with its k of 1 and 2.
void expect_reference_value(at::ScalarType type, int64_t vectors, double loss,
                            const std::vector<double>& norms) {
  const Maps student = to_type(rough_student(), type), teacher = to_type(rough_teacher(), type);
  const auto rig = feature_rig("feature.kdsvd", student, teacher, {{"vectors", vectors}});
  expect_golden_at_taps(rig, student, teacher, loss, norms);
}
TEST(Kdsvd, GivesTheReferenceValuesInFloat64) {
  expect_reference_value(at::kDouble, 1, 0.128635556414,
                         {0.0532753542, 0.0973489263, 0.0416366687});
  expect_reference_value(at::kDouble, 2, 0.0746950827051,
                         {0.0197332822, 0.104179749, 0.0156359466});
}
TEST(Kdsvd, GivesTheReferenceValuesInFloat32) {
  expect_reference_value(at::kFloat, 1, 0.128635556414, {0.0532753542, 0.0973489263, 0.0416366687});
}

// mdistiller's KDSVD, executed without its cast to float32.
TEST(Kdsvd, WithColumnsWidthGivesMdistillersValue) {
  const Maps student = {rough_map({2, 6, 4, 4}, .1), rough_map({2, 5, 3, 3}, .2)};
  const Maps teacher = {rough_map({2, 3, 3, 4}, .4), rough_map({2, 4, 4, 3}, .5)};
  expect_golden_at_taps(feature_rig("feature.kdsvd", student, teacher, kWidth), student, teacher,
                        0.0449278271869, {0.106257606, 0.113197025});
}

TEST(Kdsvd, HasTheGradientOfItsLoss) {
  const auto rig = feature_rig("feature.kdsvd", rough_student(), rough_teacher());
  for (const size_t tap : {1, 2})
    expect_true_gradient(at_tap(rig, tap, rough_student(), rough_teacher()), rough_student()[tap]);
}

TEST(Kdsvd, IsZeroWhereStudentEqualsTeacherInAnyScaleAndOrderOfPixels) {
  const auto rig = feature_rig("feature.kdsvd", rough_teacher(), rough_teacher());
  const Loss loss = at_tap(rig, 1, rough_teacher(), rough_teacher());
  const at::Tensor same = rough_teacher()[1];
  EXPECT_EQ(loss(same).item<double>(), 0);
  EXPECT_NEAR(loss(same.flip(2) * -3).item<double>(), 0, tolerance_of(at::kDouble).loss);
}

LossAndGradient differentiate_first(const Maps& student, const Maps& teacher) {
  return differentiate(at_tap(feature_rig("feature.kdsvd", student, teacher), 0, student, teacher),
                       student[0]);
}

// The gradient of LibTorch's SVD divides by the gaps between all singular values.
TEST(Kdsvd, HasAFiniteGradientWhereSingularValuesCoincide) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    at::Tensor dead = rough_map({2, 6, 4, 4}, .1).to(type);
    dead.slice(1, 1, 4).zero_();  // three singular values of 0
    const Maps teacher = {teacher_map().slice(0, 0, 2).to(type), rough_teacher()[1].to(type)};
    for (const at::Tensor& map : {dead, at::zeros_like(dead)}) {
      const LossAndGradient found =
          differentiate_first({map, rough_student()[1].to(type)}, teacher);
      EXPECT_TRUE(std::isfinite(found.loss));
      EXPECT_TRUE(all_finite(found.gradient));
    }
  }
}

// The authors put 0 in the place of what is not finite, and LAPACK refuses it.
TEST(Kdsvd, StaysNaNForNumbersThatAreNotFinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double number : {std::numeric_limits<double>::quiet_NaN(), kInfinity, -kInfinity}) {
    Maps broken = rough_student();
    broken[1][1][2][0][1].fill_(number);
    EXPECT_TRUE(std::isnan(differentiate_first(broken, rough_teacher()).loss)) << number;
    broken = rough_teacher();
    broken[1][1][2][0][1].fill_(number);
    EXPECT_TRUE(std::isnan(differentiate_first(rough_student(), broken).loss)) << number;
  }
}

std::string refusal_of(const Maps& student, const Maps& teacher, const Options& options = {}) {
  return message_of<host::Error>([&] { feature_rig("feature.kdsvd", student, teacher, options); });
}

TEST(Kdsvd, RefusesColumnsOfOtherNumbersBeforeTraining) {
  const Maps maps = {rough_map({2, 6, 4, 4}, 0), rough_map({2, 5, 3, 3}, 0)};
  const Maps other = {rough_map({2, 6, 4, 4}, 0), rough_map({2, 6, 4, 4}, 0)};
  EXPECT_THAT(refusal_of(maps, other),
              HasSubstr("columns = \"channels\" cannot compare [2, 5, 3, 3] (student) with "
                        "[2, 6, 4, 4] (teacher); bind taps of as many channels, or set columns"));
  EXPECT_THAT(refusal_of(maps, other, kWidth),
              HasSubstr("columns = \"width\" cannot compare [2, 5, 3, 3] (student) with "
                        "[2, 6, 4, 4] (teacher); bind taps of equal width"));
}

TEST(Kdsvd, RefusesTooFewTapsAndTooManyVectorsBeforeTraining) {
  const at::Tensor map = rough_map({2, 6, 2, 2}, 0);
  EXPECT_THAT(refusal_of({map}, {map}), HasSubstr("neighbouring taps, and 1 is bound; bind two"));
  EXPECT_THAT(refusal_of({map, map}, {map, map}, {{"vectors", int64_t{5}}}),
              HasSubstr("vectors = 5; the teacher's tap [2, 6, 2, 2] has 4 a sample; lower it"));
  EXPECT_THAT(refusal_of({map, map.mean({2, 3})}, {map, map}),
              HasSubstr("not [2, 6] with [2, 6, 2, 2]; bind taps that are feature maps"));
}

TEST(Kdsvd, RefusesNeighboursOfOneColumn) {
  const at::Tensor one = rough_map({2, 1, 2, 2}, 0), more = rough_map({2, 6, 2, 2}, 0);
  EXPECT_THAT(refusal_of({one, one}, {one, one}),
              HasSubstr("[2, 1, 2, 2] and [2, 1, 2, 2] have one column each, whose direction is "
                        "always the same, so the loss can only be 0; bind taps of more channels"));
  EXPECT_EQ(refusal_of({one, more}, {one, more}), "");
}

}  // namespace
}  // namespace retort::test::kdsvd_test
