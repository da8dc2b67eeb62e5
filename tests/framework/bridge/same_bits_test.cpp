// An operator that a plugin calls through the door against the same operator called directly.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/split.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/where.h>

#include <functional>
#include <ostream>
#include <vector>

#include "tests/framework/bridge/door_rig.hpp"
#include "tests/plugins/strategies/strategy_rig.hpp"

namespace retort::test {
namespace {

/// One operator, both ways, on images x [2, 4, 6, 6] and y of the same shape.
struct Case {
  const char* name;
  std::function<Tensor(const Tensor&, const Tensor&)> through;
  std::function<at::Tensor(const at::Tensor&, const at::Tensor&)> direct;
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }

at::Tensor waves(at::ScalarType type, double phase) {
  return (at::arange(2 * 4 * 6 * 6, type) * 0.37 + phase).sin().reshape({2, 4, 6, 6});
}

at::Tensor rows() { return at::arange(2, at::kLong); }

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"AddTensor", [](auto& x, auto& y) { return x + y; },
       [](auto& x, auto& y) { return x.add(y); }},
      {"MulNumber", [](auto& x, auto&) { return x * 0.3; },
       [](auto& x, auto&) { return x.mul(0.3); }},
      {"PowInt", [](auto& x, auto&) { return Operator("aten::pow", "Tensor_Scalar")(x, 3); },
       [](auto& x, auto&) { return at::pow(x, 3); }},
      {"LogSoftmaxInt", [](auto& x, auto&) { return log_softmax(x, -1); },
       [](auto& x, auto&) { return at::log_softmax(x, -1); }},
      {"SumIntsBool",
       [](auto& x, auto&) {
         return sum(x, {1, 2}, true);
       },
       [](auto& x, auto&) {
         return at::sum(x, {1, 2}, true);
       }},
      {"ClampOptional", [](auto& x, auto&) { return clamp(x, {}, 0.5); },
       [](auto& x, auto&) { return at::clamp(x, std::nullopt, 0.5); }},
      {"GeluText", [](auto& x, auto&) { return gelu(x, "tanh"); },
       [](auto& x, auto&) { return at::gelu(x, "tanh"); }},
      {"SoftplusNumbers", [](auto& x, auto&) { return softplus(x, 2, 20); },
       [](auto& x, auto&) { return at::softplus(x, 2, 20); }},
      {"CatTensors",
       [](auto& x, auto& y) {
         return cat({x, y}, 1);
       },
       [](auto& x, auto& y) {
         return at::cat({x, y}, 1);
       }},
      {"IndexOptionalTensors",
       [](auto& x, auto&) {
         return index(x, {Tensor(), to_plugin(rows())});
       },
       [](auto& x, auto&) {
         return at::index(x, {std::nullopt, rows()});
       }},
      {"WhereMask", [](auto& x, auto& y) { return where(x > y, x, y); },
       [](auto& x, auto& y) { return at::where(x.gt(y), x, y); }},
      {"ToDtype", [](auto& x, auto&) { return to(x, Dtype::Float16); },
       [](auto& x, auto&) { return x.to(at::kHalf); }},
      {"EinsumTextAndTensors",
       [](auto& x, auto& y) {
         return einsum("bchw,bdhw->bcd", {x, y});
       },
       [](auto& x, auto& y) {
         return at::einsum("bchw,bdhw->bcd", {x, y});
       }},
      {"NormReal", [](auto& x, auto&) { return norm(x, 2, 1); },
       [](auto& x, auto&) { return at::linalg_vector_norm(x, 2, 1); }},
      {"Conv2dManyInts",
       [](auto& x, auto& y) {
         return conv2d(x, y, {}, {1, 2}, 1, 1, 1);
       },
       [](auto& x, auto& y) {
         return at::conv2d(x, y, {}, {1, 2}, {1, 1});
       }},
      {"MaxPoolOneInt", [](auto& x, auto&) { return max_pool2d(x, 2); },
       [](auto& x, auto&) {
         return at::max_pool2d(x, {2, 2});
       }},
      {"LinearNoBias",
       [](auto& x, auto& y) {
         return linear(x, reshape(y, {48, 6}));
       },
       [](auto& x, auto& y) {
         return at::linear(x, y.reshape({48, 6}));
       }},
      {"MseReduction", [](auto& x, auto& y) { return mse_loss(x, y, Reduction::Sum); },
       [](auto& x, auto& y) { return at::mse_loss(x, y, at::Reduction::Sum); }},
      {"UpsampleReals",
       [](auto& x, auto&) {
         return Operator("aten::upsample_bilinear2d", "vec")(x, std::nullopt, false,
                                                             std::vector<double>{2, 1.5});
       },
       [](auto& x, auto&) {
         return at::upsample_bilinear2d(x, std::nullopt, false, std::vector<double>{2, 1.5});
       }},
      {"SplitSecond", [](auto& x, auto&) { return split(x, 3, 1).at(1); },
       [](auto& x, auto&) { return at::split(x, 3, 1)[1]; }},
      {"TopkValues", [](auto& x, auto&) { return topk(x, 2, 1).at(0); },
       [](auto& x, auto&) { return std::get<0>(at::topk(x, 2, 1)); }},
  };
  return all;
}

class SameBits : public testing::TestWithParam<std::tuple<Case, at::ScalarType>> {};

TEST_P(SameBits, OfResultAndGradient) {
  const auto& [op, type] = GetParam();
  const at::Tensor y = waves(type, 1);
  const at::Tensor x = waves(type, 0).set_requires_grad(true);
  const at::Tensor direct = op.direct(x, y);
  direct.sum().backward();

  const at::Tensor same_x = waves(type, 0).set_requires_grad(true);
  at::Tensor through;
  {
    const InPlugin plugin;
    through = to_host(op.through(to_plugin(same_x), to_plugin(y)));
  }
  through.sum().backward();
  EXPECT_EQ(through.scalar_type(), direct.scalar_type());
  EXPECT_TRUE(through.equal(direct));
  EXPECT_TRUE(same_x.grad().equal(x.grad()));
}

INSTANTIATE_TEST_SUITE_P(Operators, SameBits,
                         testing::Combine(testing::ValuesIn(cases()),
                                          testing::Values(at::kFloat, at::kDouble)),
                         [](const auto& its) {
                           return std::string(std::get<0>(its.param).name) +
                                  (std::get<1>(its.param) == at::kFloat ? "32" : "64");
                         });

at::Tensor kd_directly(const at::Tensor& student, const at::Tensor& teacher, double t) {
  const at::Tensor log_q = at::log_softmax(student / t, -1);
  const at::Tensor log_p = at::log_softmax(teacher / t, -1);
  return at::kl_div(log_q, log_p, at::Reduction::Sum, true)
      .div(static_cast<double>(student.size(0)))
      .mul(t * t);
}

class WholeLoss : public testing::TestWithParam<at::ScalarType> {};

TEST_P(WholeLoss, OfAPluginHasTheBitsOfTheSameFormula) {
  const at::Tensor teacher = teacher_logits().to(GetParam());
  const at::Tensor student = student_logits().to(GetParam());
  StrategyRig rig("logits.kd", {{"temperature", 3.0}}, GetParam());
  rig.setup(logits_of(student), logits_of(teacher));
  const LossAndGradient through = differentiate(
      [&](const at::Tensor& x) { return rig.loss(logits_of(x), logits_of(teacher)); }, student);
  const LossAndGradient direct =
      differentiate([&](const at::Tensor& x) { return kd_directly(x, teacher, 3); }, student);
  EXPECT_EQ(through.loss, direct.loss);
  EXPECT_TRUE(through.gradient.equal(direct.gradient));
}

INSTANTIATE_TEST_SUITE_P(Dtypes, WholeLoss, testing::Values(at::kFloat, at::kDouble));

}  // namespace
}  // namespace retort::test
