#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/stack.h>
#include <gmock/gmock.h>

#include "framework/error.hpp"
#include "tests/framework/data/scratch.hpp"
#include "tests/plugins/strategies/feature_loss.hpp"

namespace retort::test {
namespace {

using testing::HasSubstr;
using Maps = std::vector<at::Tensor>;

const Options kSmall = {{"dim", int64_t{3}}};

// Larger and smaller than the teacher's, with other channels.
Maps students() { return {large_student_map(), second_student_map()}; }
Maps teachers() { return {teacher_map().slice(1, 0, 4), second_teacher_map()}; }

at::Tensor linear_norm(StrategyRig& rig, const std::string& name, const at::Tensor& x) {
  const std::string layer = "attention.linear_trans_" + name;
  return at::batch_norm(
      at::linear(x, rig.parameter(layer + ".linear.weight"), rig.parameter(layer + ".linear.bias")),
      rig.parameter(layer + ".bn.weight"), rig.parameter(layer + ".bn.bias"), {}, {}, true, 0.1,
      1e-5, false);
}

at::Tensor unit(const at::Tensor& rows) { return rows / rows.square().sum(1, true).sqrt(); }

/// How far a student's map lies from a teacher's, a sample: [N].
at::Tensor distance(const at::Tensor& student, const at::Tensor& teacher) {
  const at::Tensor pooled =
      at::adaptive_avg_pool2d(student.square().mean(1, true), {teacher.size(2), teacher.size(3)});
  return (unit(pooled.flatten(1)) - unit(teacher.square().mean(1).flatten(1))).square().mean(1);
}

/// The authors' forward pass, score by score.
at::Tensor directly(StrategyRig& rig, const Maps& student, const Maps& teacher, int64_t dim) {
  Maps keys;
  for (size_t s = 0; s < student.size(); ++s)
    keys.push_back(
        linear_norm(rig, "s.key_layer." + std::to_string(s), student[s].mean({2, 3})).relu());
  // One batch norm over the keys of all layers.
  const at::Tensor mapped = linear_norm(rig, "s.bilinear", at::stack(keys, 1).flatten(0, 1));
  at::Tensor total;
  for (size_t t = 0; t < teacher.size(); ++t) {
    const at::Tensor query =
        linear_norm(rig, "t.query_layer." + std::to_string(t), teacher[t].mean({2, 3}));
    const auto first = static_cast<int64_t>(t) * dim;
    const at::Tensor of_t = mapped.slice(1, first, first + dim)
                                .reshape({query.size(0), static_cast<int64_t>(keys.size()), dim});
    const at::Tensor places =
        rig.parameter("attention.p_s").mv(rig.parameter("attention.p_t")[static_cast<int64_t>(t)]);
    const at::Tensor scores = (of_t * query.unsqueeze(1)).sum(2) + places;  // [N, S]
    const at::Tensor weights = (scores / std::sqrt(static_cast<double>(dim))).softmax(1);
    for (size_t s = 0; s < student.size(); ++s) {
      const at::Tensor term =
          (weights.select(1, static_cast<int64_t>(s)) * distance(student[s], teacher[t])).mean();
      total = total.defined() ? total + term : term;
    }
  }
  return total;
}

TEST(Afd, AgreesWithTheAuthorsForwardPassAtEveryTap) {
  const auto rig = feature_rig("feature.afd", students(), teachers(), kSmall);
  for (size_t tap = 0; tap < 2; ++tap) {
    SCOPED_TRACE(tap);
    Maps maps = students();
    const LossAndGradient wanted = differentiate(
        [&](const at::Tensor& map) {
          maps[tap] = map;
          return directly(*rig, maps, teachers(), 3);
        },
        students()[tap]);
    EXPECT_GT(wanted.norm(), 0);
    expect_golden(at_tap(rig, tap, students(), teachers()), students()[tap], wanted.loss,
                  wanted.norm());
  }
}

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

}  // namespace
}  // namespace retort::test
