#include <ATen/ops/eye.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::cc_test {
namespace {

using Rig = std::shared_ptr<StrategyRig>;

Options kernel(int64_t choice) { return {{"dim", int64_t{8}}, {"kernel", choice}}; }

/// Makes both maps to the small space answer what they get.
void make_identity(StrategyRig& rig) {
  for (const std::string name : {"student0", "teacher0"}) {
    at::Tensor& weight = rig.parameter(name + ".weight");
    weight.set_data(at::eye(weight.size(0), weight.options()));
    at::Tensor& bias = rig.parameter(name + ".bias");
    bias.set_data(at::zeros_like(bias));
  }
}

Loss cc_against(const at::Tensor& teacher, int64_t choice = 0) {
  const Rig rig = feature_rig("relational.cc", {teacher}, {teacher}, kernel(choice));
  make_identity(*rig);
  return loss_of(rig, teacher);
}

// RepDistiller's Correlation, executed.
void expect_reference_value(at::ScalarType type) {
  expect_golden(cc_against(teacher_embedding().to(type)), student_embedding().to(type),
                7.80563049433, 2.92938385);
}
TEST(Cc, GivesTheReferenceValueInFloat64) { expect_reference_value(at::kDouble); }
TEST(Cc, GivesTheReferenceValueInFloat32) { expect_reference_value(at::kFloat); }

TEST(Cc, HasTheGradientOfItsLoss) {
  for (const int64_t choice : {0, 1, 2})
    expect_true_gradient(cc_against(teacher_embedding(), choice), student_embedding());
}

TEST(Cc, IsZeroWhereBothMapToTheSame) {
  for (const int64_t choice : {0, 1, 2})
    expect_zero(cc_against(teacher_embedding(), choice), teacher_embedding());
}

TEST(Cc, MapsBothToItsOwnSpace) {
  const at::Tensor student = student_embedding().slice(1, 0, 5), teacher = teacher_embedding();
  const Rig rig = feature_rig("relational.cc", {student}, {teacher});
  ASSERT_EQ(rig->parameter("teacher0.weight").sizes(), (std::vector<int64_t>{128, 8}));
  const Loss formula = [&](const at::Tensor& given) {
    const auto map = [&](const std::string& name, const at::Tensor& x) {
      return at::linear(x, rig->parameter(name + ".weight"), rig->parameter(name + ".bias"));
    };
    const at::Tensor delta = (map("student0", given) - map("teacher0", teacher)).abs();
    return (delta.slice(0, 0, 3) * delta.slice(0, 1)).sum(1).mean();
  };
  expect_formula(loss_of(rig, teacher), formula, student);
}

TEST(Cc, ComparesProductsWithTheBilinearKernel) {
  const Loss formula = [](const at::Tensor& student) {
    const at::Tensor teacher = teacher_embedding();
    return (student.mm(student.t()) - teacher.mm(teacher.t())).square().sum() / 16;
  };
  expect_formula(cc_against(teacher_embedding(), 1), formula, student_embedding());
}

// The Gaussian of unit vectors is exp(-2 gamma) exp(2 gamma cos): three terms of the second factor.
TEST(Cc, ComparesTheExpandedGaussianKernel) {
  const auto correlations = [](const at::Tensor& rows) {
    const at::Tensor products = rows.mm(rows.t());
    return std::exp(-.8) * (1 + .8 * products + .64 / 2 * products.square());
  };
  const Loss formula = [&](const at::Tensor& student) {
    return (correlations(student) - correlations(teacher_embedding())).square().sum() / 16;
  };
  expect_formula(cc_against(teacher_embedding(), 2), formula, student_embedding());
}

TEST(Cc, IgnoresTheOrderOfTheSamplesWithAKernelOnly) {
  const at::Tensor order = at::tensor({2, 0, 3, 1}, at::kLong);
  const at::Tensor student = student_embedding(), teacher = teacher_embedding();
  const auto change = [&](int64_t choice) {
    return value(cc_against(teacher.index_select(0, order), choice),
                 student.index_select(0, order)) -
           value(cc_against(teacher, choice), student);
  };
  EXPECT_GT(std::abs(change(0)), .1);  // pairs are neighbours in the batch
  EXPECT_NEAR(change(1), 0, tolerance_of(at::kDouble).loss);
  EXPECT_NEAR(change(2), 0, tolerance_of(at::kDouble).loss);
}

TEST(Cc, DeclaresThatItNeedsTwoSamples) {
  EXPECT_EQ(choose(RETORT_KIND_STRATEGY, "relational.cc").info.batch_min, 2);
}

}  // namespace
}  // namespace retort::test::cc_test
