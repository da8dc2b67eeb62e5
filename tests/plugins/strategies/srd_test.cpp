#include <ATen/ops/batch_norm.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include <limits>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::srd_test {
namespace {

using testing::HasSubstr;
using Rig = std::shared_ptr<StrategyRig>;

const Options kNoNorm = {{"norm", int64_t{1}}};

Rig srd(at::ScalarType type = at::kDouble, const Options& options = {}) {
  return feature_rig("feature.srd", {student_embedding().to(type)}, {teacher_embedding().to(type)},
                     options);
}

/// As a function of the feature, with the golden logits.
Loss srd_loss(const Rig& rig, at::ScalarType type = at::kDouble) {
  return [=](const at::Tensor& student) {
    return rig->loss(outputs_of(student_logits().to(type), {student}),
                     outputs_of(teacher_logits().to(type), {teacher_embedding().to(type)}));
  };
}

at::Tensor standardized(const at::Tensor& x) {
  return at::batch_norm(x, {}, {}, {}, {}, true, .1, 1e-4, false);
}

/// The authors' OurDistillationLoss. Executed, it is within 1e-13 of the strategy.
Loss authors_formula(const Rig& rig, at::ScalarType type, double power = 4) {
  return [=](const at::Tensor& student) {
    const at::Tensor embedded =
        at::linear(student, rig->parameter("embed0.weight"), rig->parameter("embed0.bias"));
    const at::Tensor difference =
        (standardized(embedded) - standardized(teacher_embedding().to(type))).abs().pow(power);
    const at::Tensor p_s = at::log_softmax(student_logits().to(type), 1);
    const at::Tensor p_t = at::softmax(teacher_logits().to(type), 1);
    return 2. * difference.sum().log() + at::kl_div(p_s, p_t, at::Reduction::Sum) / 4;
  };
}

void expect_authors_value(at::ScalarType type) {
  const Rig rig = srd(type);
  expect_formula(srd_loss(rig, type), authors_formula(rig, type), student_embedding().to(type));
}
TEST(Srd, AgreesWithTheAuthorsFormulaInFloat64) { expect_authors_value(at::kDouble); }
TEST(Srd, AgreesWithTheAuthorsFormulaInFloat32) { expect_authors_value(at::kFloat); }

TEST(Srd, TakesAnotherPower) {
  const Rig rig = srd(at::kDouble, {{"power", 2.5}});
  expect_formula(srd_loss(rig), authors_formula(rig, at::kDouble, 2.5), student_embedding());
}

TEST(Srd, HasTheGradientOfItsLoss) { expect_true_gradient(srd_loss(srd()), student_embedding()); }

TEST(Srd, TakesTheLogitsGradientFromTheDivergence) {
  const Rig rig = srd();
  const Loss of_logits = [&](const at::Tensor& logits) {
    return rig->loss(outputs_of(logits, {student_embedding()}),
                     outputs_of(teacher_logits(), {teacher_embedding()}));
  };
  const at::Tensor wanted =
      (at::softmax(student_logits(), 1) - at::softmax(teacher_logits(), 1)) / 4;
  const at::Tensor found = differentiate(of_logits, student_logits()).gradient;
  EXPECT_LT((found - wanted).norm().item<double>(), tolerance_of(at::kDouble).gradient);
}

TEST(Srd, IgnoresAShiftOfTheFeatures) {
  const Loss loss = srd_loss(srd());
  EXPECT_NEAR(value(loss, student_embedding() + 7), value(loss, student_embedding()),
              tolerance_of(at::kDouble).loss * 10);
}

void make_identity(StrategyRig& rig) {
  at::Tensor& weight = rig.parameter("embed0.weight");
  weight.set_data(at::eye(weight.size(0), weight.options()));
  at::Tensor& bias = rig.parameter("embed0.bias");
  bias.set_data(at::zeros_like(bias));
}

TEST(Srd, ComparesTheFeaturesThemselvesWithoutNorm) {
  const Rig rig = srd(at::kDouble, kNoNorm);
  make_identity(*rig);
  const Loss formula = [&](const at::Tensor& student) {
    const at::Tensor powers = (student - teacher_embedding()).pow(4).sum();
    return 2. * powers.log() + at::kl_div(at::log_softmax(student_logits(), 1),
                                          at::softmax(teacher_logits(), 1), at::Reduction::Sum) /
                                   4;
  };
  expect_formula(srd_loss(rig), formula, student_embedding());
}

TEST(Srd, StaysFiniteWhereTheFeaturesAreEqual) {
  const Rig rig = srd(at::kDouble, kNoNorm);
  make_identity(*rig);
  const LossAndGradient found = differentiate(srd_loss(rig), teacher_embedding());
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_EQ(found.norm(), 0);
}

TEST(Srd, RefusesLogitsOfDifferentShapes) {
  const Rig rig = srd();
  const std::string message = message_of<host::Error>([&] {
    rig->loss(outputs_of(student_logits().slice(1, 0, 3), {student_embedding()}),
              outputs_of(teacher_logits(), {teacher_embedding()}));
  });
  EXPECT_THAT(message, HasSubstr("kl_divergence of [4, 10] and [4, 3]; both must have the same"));
}

TEST(Srd, DeclaresThatItNeedsTwoSamples) {
  EXPECT_EQ(choose(RETORT_KIND_STRATEGY, "feature.srd").info.batch_min, 2);
}

TEST(Srd, CountsAnExcludedClassAsProbabilityZero) {
  const Rig rig = srd();
  const auto loss = [&](double excluded) {
    at::Tensor teacher = teacher_logits();
    teacher[1][3].fill_(excluded);
    return differentiate(
        [&](const at::Tensor& logits) {
          return rig->loss(outputs_of(logits, {student_embedding()}),
                           outputs_of(teacher, {teacher_embedding()}));
        },
        student_logits());
  };
  const LossAndGradient found = loss(-std::numeric_limits<double>::infinity()), limit = loss(-1e6);
  EXPECT_EQ(found.loss, limit.loss);
  EXPECT_EQ((found.gradient - limit.gradient).norm().item<double>(), 0);
}

}  // namespace
}  // namespace retort::test::srd_test
