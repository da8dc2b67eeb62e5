#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/one_tap.hpp"

namespace retort::test::kta_test {
namespace {

using testing::HasSubstr;
using Rig = std::shared_ptr<StrategyRig>;

at::Tensor encoded(StrategyRig& rig, at::Tensor x) {
  for (const std::string layer : {"0", "2", "4"}) {
    const std::string name = "paraphraser0.encoder." + layer;
    x = at::leaky_relu(
        at::conv2d(x, rig.parameter(name + ".weight"), rig.parameter(name + ".bias"), 1, 1), .1);
  }
  return x;
}

at::Tensor decoded(StrategyRig& rig, at::Tensor x) {
  for (const std::string layer : {"0", "2", "4"}) {
    const std::string name = "paraphraser0.decoder." + layer;
    x = at::leaky_relu(at::conv_transpose2d(x, rig.parameter(name + ".weight"),
                                            rig.parameter(name + ".bias"), 1, 1),
                       .1);
  }
  return x;
}

/// torchdistill's AffinityLoss, with the matrices of (H W)^2 written out.
at::Tensor affinity_loss(const at::Tensor& student, const at::Tensor& teacher) {
  const auto affinities = [](const at::Tensor& map) {
    const at::Tensor rows = map.flatten(2);
    const at::Tensor units = (rows / rows.norm(2, {2}, true)).flatten(0, 1).unsqueeze(2);
    return at::bmm(units, units.transpose(1, 2));  // [N C, H W, H W]
  };
  const double pixels = static_cast<double>(student.size(2) * student.size(3));
  const at::Tensor difference = (affinities(student) - affinities(teacher)) / pixels;
  return difference.flatten(1).norm(2, {1}).sum() / static_cast<double>(student.size(0));
}

Loss reference_formula(const Rig& rig, const at::Tensor& teacher) {
  return [=](const at::Tensor& student) {
    const at::Tensor adapted = at::conv2d(student, rig->parameter("adapter0.weight"),
                                          rig->parameter("adapter0.bias"), 1, 1);
    return affinity_loss(adapted, encoded(*rig, teacher).detach());
  };
}

void expect_reference_value(at::ScalarType type) {
  const at::Tensor student = student_map().slice(1, 0, 5).to(type),
                   teacher = teacher_map().to(type);
  const Rig rig = feature_rig("relational.kta", {student}, {teacher});
  expect_formula(loss_of(rig, teacher), reference_formula(rig, teacher), student);
}
TEST(Kta, AgreesWithTheWrittenOutMatricesInFloat64) { expect_reference_value(at::kDouble); }
TEST(Kta, AgreesWithTheWrittenOutMatricesInFloat32) { expect_reference_value(at::kFloat); }

TEST(Kta, HasTheGradientOfItsLoss) {
  const Rig rig = feature_rig("relational.kta", {student_map()}, {teacher_map()});
  expect_true_gradient(loss_of(rig, teacher_map()), student_map());
}

TEST(Kta, AveragesTheHigherMapDown) {
  const at::Tensor student = large_student_map(), teacher = teacher_map();
  const Rig rig = feature_rig("relational.kta", {student}, {teacher});
  const Loss formula = [&](const at::Tensor& large) {
    const at::Tensor adapted =
        at::conv2d(large, rig->parameter("adapter0.weight"), rig->parameter("adapter0.bias"), 1, 1);
    return affinity_loss(at::adaptive_avg_pool2d(adapted, {4, 4}), encoded(*rig, teacher).detach());
  };
  expect_formula(loss_of(rig, teacher), formula, student);
}

TEST(Kta, TrainsTheParaphraserOnItsReconstructionAlone) {
  const Rig rig = feature_rig("relational.kta", {student_map()}, {teacher_map()});
  loss_of(rig, teacher_map())(student_map()).backward();
  std::map<std::string, at::Tensor> found;
  for (const host::Parameter& parameter : rig->parameters().all()) {
    found[parameter.name] = parameter.master.grad().clone();
    at::Tensor(parameter.master).mutable_grad().reset();
  }
  at::mse_loss(decoded(*rig, encoded(*rig, teacher_map())), teacher_map()).backward();
  for (const std::string name : {"encoder.0", "encoder.4", "decoder.0", "decoder.4"}) {
    const std::string weight = "paraphraser0." + name + ".weight";
    const double size = found.at(weight).norm().item<double>();
    const at::Tensor difference = rig->parameter(weight).grad() - found.at(weight);
    EXPECT_GT(size, 0) << name;
    EXPECT_LT(difference.norm().item<double>(), size * tolerance_of(at::kDouble).gradient) << name;
  }
}

/// A convolution that passes the first channels on, times a factor.
void pass_on(StrategyRig& rig, const std::string& name, double factor = 1) {
  at::Tensor& weight = rig.parameter(name + ".weight");
  const at::Tensor kernel = at::zeros_like(weight).detach();
  for (int64_t c = 0; c < kernel.size(0); ++c) kernel[c][c][1][1] = factor;
  weight.set_data(kernel);
  at::Tensor& bias = rig.parameter(name + ".bias");
  bias.set_data(at::zeros_like(bias).detach());
}

TEST(Kta, IsZeroForTheTeachersCodeAndForItsNegative) {
  const at::Tensor teacher = teacher_map() + 2;  // positive: no leaky ReLU bends it
  const Rig rig = feature_rig("relational.kta", {teacher}, {teacher});
  for (const std::string layer : {"0", "2", "4"}) pass_on(*rig, "paraphraser0.encoder." + layer);
  for (const double factor : {1., -1.}) {  // the products of a channel's pixels have no sign
    pass_on(*rig, "adapter0", factor);
    const LossAndGradient found = differentiate(loss_of(rig, teacher), teacher);
    EXPECT_EQ(found.loss, 0);
    EXPECT_EQ(found.norm(), 0);
  }
}

TEST(Kta, HasAFiniteGradientForAChannelOfZeros) {
  const Rig rig = feature_rig("relational.kta", {student_map()}, {teacher_map()});
  pass_on(*rig, "adapter0");
  at::Tensor student = student_map();
  student.select(1, 0).fill_(0);
  const LossAndGradient found = differentiate(loss_of(rig, teacher_map()), student);
  EXPECT_TRUE(std::isfinite(found.loss));
  EXPECT_TRUE(all_finite(found.gradient));
}

TEST(Kta, RefusesARateThatLeavesNoChannel) {
  const std::string message = message_of<host::ConfigError>([] {
    feature_rig("relational.kta", {student_map()}, {teacher_map()}, {{"rate", .1}});
  });
  EXPECT_THAT(message,
              HasSubstr("rate leaves no channel of the teacher's 6; raise it to at least"));
}

TEST(Kta, RefusesATapThatIsNoMap) {
  const std::string message = message_of<host::ShapeError>(
      [] { feature_rig("relational.kta", {student_embedding()}, {teacher_map()}); });
  EXPECT_THAT(message, HasSubstr("not [4, 8] with [4, 6, 4, 4]; bind taps that are feature maps"));
}

TEST(Kta, RefusesMapsThatAreComparedAtOnePixel) { expect_to_refuse_one_pixel("relational.kta"); }

// torchdistill divides by the length, 0, and has NaN. With s = 0 it is ||t t^T|| / 9 for a channel t
// of length 1.
TEST(Kta, CountsAChannelOfZerosAsNoAffinity) {
  const at::Tensor teacher = teacher_map().slice(1, 0, 2).slice(2, 0, 3).slice(3, 0, 3) + 2;
  const at::Tensor zeros = at::zeros_like(teacher);
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const Rig rig = feature_rig("relational.kta", {zeros.to(type)}, {teacher.to(type)});
    pass_on(*rig, "adapter0");
    for (const double size : {0., 1e-20, 1e-14}) {
      const LossAndGradient found =
          differentiate(loss_of(rig, teacher.to(type)), zeros.to(type) + size);
      EXPECT_NEAR(found.loss, 1. / 9, tolerance_of(type).loss) << size;
      EXPECT_EQ(found.norm(), 0) << size;
    }
  }
}

}  // namespace
}  // namespace retort::test::kta_test
