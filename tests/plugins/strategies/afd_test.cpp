#include <ATen/ops/adaptive_avg_pool2d.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/feature_loss.hpp"

namespace retort::test::afd_test {
namespace {

using testing::HasSubstr;
using Maps = std::vector<at::Tensor>;

const Options kSmall = {{"dim", int64_t{3}}};

// Larger and smaller than the teacher's, with other channels.
Maps students() { return {large_student_map(), second_student_map()}; }
Maps teachers() { return {teacher_map().slice(1, 0, 4), second_teacher_map()}; }

at::Tensor unit(const at::Tensor& rows) { return rows / rows.square().sum(1, true).sqrt(); }

/// How far a student's map lies from a teacher's, a sample: [N].
at::Tensor distance(const at::Tensor& student, const at::Tensor& teacher) {
  const at::Tensor pooled =
      at::adaptive_avg_pool2d(student.square().mean(1, true), {teacher.size(2), teacher.size(3)});
  return (unit(pooled.flatten(1)) - unit(teacher.square().mean(1).flatten(1))).square().mean(1);
}

// The authors' AFD (clovaai), executed.
void expect_reference_value(at::ScalarType type) {
  const Maps student = to_type(students(), type), teacher = to_type(teachers(), type);
  const auto rig = feature_rig("feature.afd", student, teacher, kSmall);
  set_reference_parameters(*rig);
  expect_golden_at_taps(rig, student, teacher, 0.0657668872751, {0.00596509254, 0.0372554528});
}
TEST(Afd, GivesTheReferenceValueInFloat64) { expect_reference_value(at::kDouble); }
TEST(Afd, GivesTheReferenceValueInFloat32) { expect_reference_value(at::kFloat); }

TEST(Afd, HasTheGradientOfItsLoss) {
  const auto rig = feature_rig("feature.afd", students(), teachers(), kSmall);
  expect_true_gradient(at_tap(rig, 1, students(), teachers()), students()[1]);
}

TEST(Afd, WeighsTheStudentsLayersToOne) {
  const Maps same = {student_map(), student_map()}, teacher = {teacher_map(), teacher_map()};
  const double loss = feature_rig("feature.afd", same, teacher)
                          ->loss(features_of(same), features_of(teacher))
                          .item<double>();
  EXPECT_NEAR(loss, 2 * distance(student_map(), teacher_map()).mean().item<double>(),
              tolerance_of(at::kDouble).loss);
}

TEST(Afd, IsZeroWhereEveryLayerLooksWhereTheTeacherLooks) {
  const Maps maps = {teacher_map(), teacher_map() * 2};
  const auto rig = feature_rig("feature.afd", maps, maps);
  const LossAndGradient found = differentiate(at_tap(rig, 0, maps, maps), maps[0]);
  EXPECT_NEAR(found.loss, 0, tolerance_of(at::kDouble).loss);
  EXPECT_NEAR(found.norm(), 0, tolerance_of(at::kDouble).gradient);
}

TEST(Afd, LearnsItsPlaces) {
  const auto rig = feature_rig("feature.afd", students(), teachers(), kSmall);
  for (const std::string name : {"attention.p_s", "attention.p_t"}) {
    expect_true_gradient(
        [&](const at::Tensor& values) {
          rig->parameter(name) = values;
          return rig->loss(features_of(students()), features_of(teachers()));
        },
        rig->parameter(name).detach().clone());
  }
}

TEST(Afd, RefusesAVectorBeforeTraining) {
  const std::string message = message_of<host::ShapeError>([] {
    feature_rig("feature.afd", {student_map()}, {teacher_map().mean({2, 3})});
  });
  EXPECT_THAT(message, HasSubstr("not [4, 6, 4, 4] with [4, 6]; bind taps that are feature maps"));
}

TEST(Afd, DeclaresThatItNeedsTwoSamples) {
  EXPECT_EQ(choose(RETORT_KIND_STRATEGY, "feature.afd").info.batch_min, 2);
}

TEST(Afd, RefusesATeachersMapOfOnePixel) {
  const Maps small = {teacher_map(), second_teacher_map().mean({2, 3}, true)};
  const std::string message =
      message_of<host::ShapeError>([&] { feature_rig("feature.afd", students(), small); });
  EXPECT_THAT(message, HasSubstr("at the size of the teacher's [4, 5, 1, 1], one pixel, where the "
                                 "loss can only be 0; bind taps with larger maps"));
}

}  // namespace
}  // namespace retort::test::afd_test
