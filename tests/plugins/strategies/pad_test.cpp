#include <ATen/ops/batch_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::pad_test {
namespace {

using Rig = std::shared_ptr<StrategyRig>;

/// torchdistill's PADL2Loss on its VarianceBranch4PAD.
Loss reference_formula(const Rig& rig, const at::Tensor& teacher) {
  return [=](const at::Tensor& student) {
    const at::Tensor raw = at::linear(student, rig->parameter("var_estimator0.0.weight"),
                                      rig->parameter("var_estimator0.0.bias"));
    const at::Tensor log_variances =
        at::batch_norm(raw, rig->parameter("var_estimator0.1.weight"),
                       rig->parameter("var_estimator0.1.bias"), {}, {}, true, .1, 1e-5, false);
    const at::Tensor squares = (teacher - student).pow(2);
    return (squares / (1e-6 + log_variances.exp()) + log_variances).mean(1).mean();
  };
}

void expect_reference_value(at::ScalarType type) {
  const at::Tensor student = student_embedding().to(type), teacher = teacher_embedding().to(type);
  const Rig rig = feature_rig("feature.pad", {student}, {teacher});
  expect_formula(loss_of(rig, teacher), reference_formula(rig, teacher), student);
}
TEST(Pad, AgreesWithTheReferenceFormulaInFloat64) { expect_reference_value(at::kDouble); }
TEST(Pad, AgreesWithTheReferenceFormulaInFloat32) { expect_reference_value(at::kFloat); }

TEST(Pad, HasTheGradientOfItsLoss) {
  const Rig rig = feature_rig("feature.pad", {student_embedding()}, {teacher_embedding()});
  expect_true_gradient(loss_of(rig, teacher_embedding()), student_embedding());
}

TEST(Pad, MapsTheStudentToTheTeachersSizeWhereTheyDiffer) {
  const at::Tensor student = student_embedding().slice(1, 0, 5), teacher = teacher_embedding();
  const Rig rig = feature_rig("feature.pad", {student}, {teacher});
  const Loss formula = [&](const at::Tensor& given) {
    return reference_formula(rig, teacher)(
        at::linear(given, rig->parameter("align0.weight"), rig->parameter("align0.bias")));
  };
  expect_formula(loss_of(rig, teacher), formula, student);
}

TEST(Pad, WeighsTheSquaresByTheLearnedVariance) {
  const Rig rig = feature_rig("feature.pad", {student_embedding()}, {teacher_embedding()});
  at::Tensor& scale = rig->parameter("var_estimator0.1.weight");
  scale.set_data(at::zeros_like(scale));
  at::Tensor& log_variance = rig->parameter("var_estimator0.1.bias");
  log_variance.set_data(at::zeros_like(log_variance) + std::log(2.));
  const double squares = (student_embedding() - teacher_embedding()).square().mean().item<double>();
  EXPECT_NEAR(value(loss_of(rig, teacher_embedding()), student_embedding()),
              squares / (1e-6 + 2) + std::log(2.), tolerance_of(at::kDouble).loss);
}

// A variance kept outside the parameters would never learn.
TEST(Pad, TrainsItsVariance) {
  const Rig rig = feature_rig("feature.pad", {student_embedding()}, {teacher_embedding()});
  loss_of(rig, teacher_embedding())(student_embedding()).backward();
  for (const char* name : {"var_estimator0.0.weight", "var_estimator0.1.weight"}) {
    const at::Tensor gradient = rig->parameter(name).grad();
    ASSERT_TRUE(gradient.defined()) << name;
    EXPECT_GT(gradient.norm().item<double>(), 0) << name;
  }
}

TEST(Pad, FlattensFeatureMaps) {
  const at::Tensor student = student_map().slice(2, 0, 1), teacher = teacher_map().slice(2, 0, 1);
  const double flat =
      value(loss_of(feature_rig("feature.pad", {student.flatten(1)}, {teacher.flatten(1)}),
                    teacher.flatten(1)),
            student.flatten(1));
  EXPECT_EQ(value(loss_of(feature_rig("feature.pad", {student}, {teacher}), teacher), student),
            flat);
}

TEST(Pad, DeclaresThatItNeedsTwoSamples) {
  EXPECT_EQ(choose(RETORT_KIND_STRATEGY, "feature.pad").info.batch_min, 2);
}

}  // namespace
}  // namespace retort::test::pad_test
