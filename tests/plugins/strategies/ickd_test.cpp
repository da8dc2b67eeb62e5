#include <ATen/ops/batch_norm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/eye.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::ickd_test {
namespace {

using testing::HasSubstr;
using Rig = std::shared_ptr<StrategyRig>;

const Options kImageNet = {{"form", int64_t{1}}};

/// Makes the embedding answer what it gets: an identity, then a batch norm that undoes itself.
void make_identity(StrategyRig& rig, const at::Tensor& student) {
  const int64_t channels = student.size(1);
  rig.parameter("embed0.conv.weight")
      .set_data(at::eye(channels, student.options()).reshape({channels, channels, 1, 1}));
  rig.parameter("embed0.bn.weight")
      .set_data((student.var({0, 2, 3}, /*unbiased=*/false) + 1e-5).sqrt());
  rig.parameter("embed0.bn.bias").set_data(student.mean({0, 2, 3}));
}

// The authors' CIFAR loss, executed.
void expect_reference_value(at::ScalarType type) {
  const at::Tensor student = student_map().to(type), teacher = teacher_map().to(type);
  const Rig rig = feature_rig("feature.ickd", {student}, {teacher});
  make_identity(*rig, student);
  EXPECT_NEAR(value(loss_of(rig, teacher), student), 0.101856358615,
              0.101856358615 * tolerance_of(type).loss);
}
TEST(Ickd, GivesTheReferenceValueThroughAnIdentityInFloat64) {
  expect_reference_value(at::kDouble);
}
TEST(Ickd, GivesTheReferenceValueThroughAnIdentityInFloat32) { expect_reference_value(at::kFloat); }

at::Tensor relations(const at::Tensor& map) {
  const at::Tensor rows = map.flatten(2);
  const at::Tensor products = at::bmm(rows, rows.permute({0, 2, 1}));
  return products / products.norm(2, {2}, true).clamp_min(1e-12);
}

/// The authors' loss behind their embedding; without the last division by N.
at::Tensor directly(StrategyRig& rig, const at::Tensor& student, const at::Tensor& teacher) {
  const at::Tensor mapped = at::conv2d(student, rig.parameter("embed0.conv.weight"));
  const at::Tensor embedded =
      at::batch_norm(mapped, rig.parameter("embed0.bn.weight"), rig.parameter("embed0.bn.bias"), {},
                     {}, true, .1, 1e-5, false);
  const at::Tensor difference = relations(embedded) - relations(teacher);
  return (difference * difference).sum() / static_cast<double>(teacher.size(0) * teacher.size(1));
}

TEST(Ickd, AgreesWithTheAuthorsFormulaOnMapsOfDifferentShapes) {
  const at::Tensor student = second_student_map(), teacher = teacher_map();
  const Rig rig = feature_rig("feature.ickd", {student}, {teacher});
  expect_formula(
      loss_of(rig, teacher), [&](const at::Tensor& s) { return directly(*rig, s, teacher); },
      student);
}

TEST(Ickd, DividesByTheBatchOnceMoreInTheImageNetForm) {
  const at::Tensor student = second_student_map(), teacher = teacher_map();
  const Rig rig = feature_rig("feature.ickd", {student}, {teacher}, kImageNet);
  expect_formula(
      loss_of(rig, teacher), [&](const at::Tensor& s) { return directly(*rig, s, teacher) / 4; },
      student);
}

TEST(Ickd, HasTheGradientOfItsLoss) {
  const Rig rig = feature_rig("feature.ickd", {second_student_map()}, {teacher_map()});
  expect_true_gradient(loss_of(rig, teacher_map()), second_student_map());
}

TEST(Ickd, IsZeroWhereStudentEqualsTeacherUpToScale) {
  const Rig rig = feature_rig("feature.ickd", {teacher_map()}, {teacher_map()});
  make_identity(*rig, teacher_map());
  expect_zero(loss_of(rig, teacher_map() * 3), teacher_map());
}

TEST(Ickd, RefusesATapThatIsNoMap) {
  const std::string message = message_of<host::ShapeError>(
      [] { feature_rig("feature.ickd", {student_embedding()}, {teacher_embedding()}); });
  EXPECT_THAT(message, HasSubstr("not [4, 8] with [4, 8]; bind taps that are feature maps"));
}

TEST(Ickd, RefusesATeacherOfOneChannel) {
  const std::string message = message_of<host::ShapeError>(
      [] { feature_rig("feature.ickd", {student_map()}, {teacher_map().slice(1, 0, 1)}); });
  EXPECT_THAT(message,
              HasSubstr("[4, 1, 4, 4] has a single channel, which relates to itself alone"));
}

}  // namespace
}  // namespace retort::test::ickd_test
