#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/feature_loss.hpp"

namespace retort::test::review_kd_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Maps = std::vector<at::Tensor>;

/// Makes batch norm give back what it gets.
void undo_norm(StrategyRig& rig, const std::string& name, const at::Tensor& input) {
  const at::Tensor mean = input.mean({0, 2, 3});
  const at::Tensor var = (input - mean.reshape({1, -1, 1, 1})).square().mean({0, 2, 3});
  rig.parameter(name + ".weight").set_data((var + 1e-5).sqrt());
  rig.parameter(name + ".bias").set_data(mean);
}

/// Makes a convolution of odd kernel give back what it gets.
void make_identity(at::Tensor& weight) {
  const at::Tensor identity = at::zeros(weight.sizes(), weight.options());
  for (int64_t c = 0; c < weight.size(0); ++c)
    identity[c][c][weight.size(2) / 2][weight.size(3) / 2] = 1;
  weight.set_data(identity);
}

/// One tap, whose fused map is the student's own.
std::shared_ptr<StrategyRig> plain_rig(const at::Tensor& student, const at::Tensor& teacher) {
  auto rig = feature_rig("feature.review_kd", {student}, {teacher});
  for (const std::string conv : {"abfs.0.conv1", "abfs.0.conv2"}) {
    make_identity(rig->parameter(conv + ".0.weight"));
    undo_norm(*rig, conv + ".1", student);
  }
  return rig;
}

// ReviewKD's hcl_loss, executed.
void expect_reference_hcl(at::ScalarType type) {
  const at::Tensor student = student_map().to(type), teacher = teacher_map().to(type);
  const auto rig = plain_rig(student, teacher);
  const double loss = rig->loss(features_of({student}), features_of({teacher})).item<double>();
  EXPECT_NEAR(loss, 0.813158737188, tolerance_of(type).loss);
}
TEST(ReviewKd, GivesTheReferenceHclThroughAnIdentityInFloat64) {
  expect_reference_hcl(at::kDouble);
}
TEST(ReviewKd, GivesTheReferenceHclThroughAnIdentityInFloat32) { expect_reference_hcl(at::kFloat); }

TEST(ReviewKd, IsZeroWhereTheFusedMapEqualsTheTeachers) {
  const auto rig = plain_rig(teacher_map(), teacher_map());
  EXPECT_NEAR(rig->loss(features_of({teacher_map()}), features_of({teacher_map()})).item<double>(),
              0, tolerance_of(at::kDouble).loss);
}

at::Tensor vector_of(const at::Tensor& map) { return map.mean({2, 3}); }

// Sizes that no table of the authors holds: the student's maps are larger, as large, vectors.
Maps students() { return {large_student_map(), student_map(), vector_of(second_student_map())}; }
Maps teachers() {
  return {teacher_map(), teacher_map().slice(1, 0, 4), vector_of(second_teacher_map())};
}

// mdistiller's ReviewKD, executed with tables for these sizes.
void expect_reference_values(at::ScalarType type) {
  const Maps student = to_type(students(), type), teacher = to_type(teachers(), type);
  const auto rig = feature_rig("feature.review_kd", student, teacher);
  set_reference_parameters(*rig);
  expect_golden_at_taps(rig, student, teacher, 1.23548412784,
                        {0.00751250304, 0.00497381876, 0.371266498});
}
TEST(ReviewKd, GivesTheReferenceValueOfTheWholeForwardPassInFloat64) {
  expect_reference_values(at::kDouble);
}
TEST(ReviewKd, GivesTheReferenceValueOfTheWholeForwardPassInFloat32) {
  expect_reference_values(at::kFloat);
}

TEST(ReviewKd, HasTheGradientOfItsLoss) {
  const Maps student = {student_map().slice(1, 0, 2), corner(second_student_map())};
  const Maps teacher = {teacher_map().slice(1, 0, 3), corner(second_teacher_map())};
  const auto rig = feature_rig("feature.review_kd", student, teacher);
  for (size_t tap = 0; tap < 2; ++tap)
    expect_true_gradient(at_tap(rig, tap, student, teacher), student[tap]);
}

TEST(ReviewKd, TakesItsChannelsFromTheTaps) {
  const auto rig = feature_rig("feature.review_kd", students(), teachers());
  EXPECT_THAT(rig->parameter("abfs.0.conv1.0.weight").sizes().vec(), ElementsAre(5, 5, 1, 1));
  EXPECT_THAT(rig->parameter("abfs.1.conv1.0.weight").sizes().vec(), ElementsAre(5, 6, 1, 1));
  EXPECT_THAT(rig->parameter("abfs.1.att_conv.0.weight").sizes().vec(), ElementsAre(2, 10, 1, 1));
  EXPECT_THAT(rig->parameter("abfs.1.conv2.0.weight").sizes().vec(), ElementsAre(4, 5, 3, 3));
}

TEST(ReviewKd, FusesAtNoMoreThan512Channels) {
  const Maps wide = {student_map(), at::zeros({4, 600}, at::kDouble)};
  const auto rig = feature_rig("feature.review_kd", wide, wide);
  EXPECT_THAT(rig->parameter("abfs.0.conv1.0.weight").sizes().vec(), ElementsAre(512, 600, 1, 1));
}

TEST(ReviewKd, RefusesATapThatIsNeitherMapNorVector) {
  const at::Tensor tokens = student_map().flatten(2);
  const std::string message = message_of<host::ShapeError>(
      [&] { feature_rig("feature.review_kd", {tokens}, {teacher_map()}); });
  EXPECT_THAT(message, HasSubstr("maps [N, C, H, W] and vectors [N, C], not [4, 6, 16]; bind"));
}

}  // namespace
}  // namespace retort::test::review_kd_test
