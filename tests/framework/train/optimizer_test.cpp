#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <vector>

#include "tests/framework/train/optimizer_rig.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using Kind = host::OptimizerConfig::Kind;
using host::ParameterSet;

/// torch.optim's formulas for one element, in double.
struct Reference {
  const host::OptimizerConfig& config;
  double p, first = 0, second = 0;
  int steps = 0;

  void step(double grad, double lr) {
    ++steps;
    if (config.kind == Kind::AdamW) {
      p -= lr * config.weight_decay * p;
    } else {
      grad += config.weight_decay * p;
    }
    if (config.kind == Kind::Sgd) {
      first = config.momentum * first + grad;
      p -= lr * (config.nesterov ? grad + config.momentum * first : first);
      return;
    }
    first = config.beta1 * first + (1 - config.beta1) * grad;
    second = config.beta2 * second + (1 - config.beta2) * grad * grad;
    const double m = first / (1 - std::pow(config.beta1, steps));
    const double v = second / (1 - std::pow(config.beta2, steps));
    p -= lr * m / (std::sqrt(v) + config.eps);
  }
};

struct Case {
  const char* name;
  Kind kind;
  double momentum;
  bool nesterov;
  double weight_decay;
};
void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }

class Optimizers : public testing::TestWithParam<Case> {};

TEST_P(Optimizers, FollowTheirFormulaForFiveSteps) {
  host::TrainConfig train;
  train.optimizer.kind = GetParam().kind;
  train.optimizer.momentum = GetParam().momentum;
  train.optimizer.nesterov = GetParam().nesterov;
  train.optimizer.weight_decay = GetParam().weight_decay;
  ParameterSet set(1, "student", at::kCPU);
  declare(set, "w");
  host::Optimizer optimizer(train, {&set});
  std::vector<Reference> references;
  for (int64_t i = 0; i < kSize; ++i) {
    references.push_back({train.optimizer, read_value(set, "w")[i].item<double>()});
  }
  for (int step = 0; step < 5; ++step) {
    const at::Tensor grad = at::zeros({kSize}, at::kFloat);
    for (int64_t i = 0; i < kSize; ++i) {
      grad.data_ptr<float>()[i] = static_cast<float>(std::sin(1 + step + 2.0 * i));
    }
    set_grad(set, "w", grad);
    const double lr = 0.1 / (1 + step);
    optimizer.step(lr);
    for (int64_t i = 0; i < kSize; ++i) {
      references[static_cast<size_t>(i)].step(grad[i].item<double>(), lr);
    }
  }
  for (int64_t i = 0; i < kSize; ++i) {
    EXPECT_NEAR(read_value(set, "w")[i].item<double>(), references[static_cast<size_t>(i)].p,
                kUpdateTolerance)
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Optimizers,
                         testing::Values(Case{"Sgd", Kind::Sgd, 0, false, 0},
                                         Case{"SgdDecay", Kind::Sgd, 0, false, 0.1},
                                         Case{"Momentum", Kind::Sgd, 0.9, false, 0.1},
                                         Case{"Nesterov", Kind::Sgd, 0.9, true, 0.1},
                                         Case{"Adam", Kind::Adam, 0, false, 0},
                                         Case{"AdamDecay", Kind::Adam, 0, false, 0.1},
                                         Case{"AdamW", Kind::AdamW, 0, false, 0.1}),
                         [](const auto& its) { return its.param.name; });

/// One step of plain SGD with decay on zero gradients: what moves is what decays.
void decay_once(ParameterSet& set, host::TrainConfig train) {
  train.optimizer.momentum = 0;
  train.optimizer.weight_decay = 0.1;
  host::Optimizer optimizer(train, {&set});
  for (const host::Parameter& parameter : set.all()) {
    set_grad(set, parameter.name.c_str(), at::zeros({kSize}, at::kFloat));
  }
  optimizer.step(1);
}

bool moved(ParameterSet& set, const char* name) {
  ParameterSet fresh(1, "student", at::kCPU);
  declare(fresh, name);
  return !read_value(set, name).equal(read_value(fresh, name));
}

TEST(NoDecay, LeavesOutWhatItNames) {
  for (const bool decay_bias : {false, true}) {
    for (const bool decay_norm : {false, true}) {
      ParameterSet set(1, "student", at::kCPU);
      declare(set, "w");
      declare(set, "bias", RETORT_ROLE_BIAS);
      declare(set, "bn", RETORT_ROLE_NORM);
      host::TrainConfig train;
      train.decay_bias = decay_bias;
      train.decay_norm = decay_norm;
      decay_once(set, train);
      EXPECT_TRUE(moved(set, "w"));
      EXPECT_EQ(moved(set, "bias"), decay_bias);
      EXPECT_EQ(moved(set, "bn"), decay_norm);
    }
  }
}

/// Plain SGD over two parameters with these gradients, without decay.
struct TwoParameters {
  TwoParameters() : set(1, "student", at::kCPU) {
    declare(set, "a");
    declare(set, "b", RETORT_ROLE_WEIGHT, 0.5);
    train.optimizer.momentum = 0;
    train.optimizer.weight_decay = 0;
    optimizer = std::make_unique<host::Optimizer>(train, std::vector<ParameterSet*>{&set});
    set_grad(set, "a", at::full({kSize}, 3, at::kFloat));
    set_grad(set, "b", at::full({kSize}, 4, at::kFloat));
  }
  double grad(const char* name) { return set.find(name)->master.grad()[0].item<double>(); }

  ParameterSet set;
  host::TrainConfig train;
  std::unique_ptr<host::Optimizer> optimizer;
};

TEST(ClipNorm, ScalesTheJointNormOfAllGradients) {
  TwoParameters two;  // of norm 6 and 8: 10 together
  two.optimizer->clip(2.5, two.optimizer->gradient_norm());
  EXPECT_NEAR(two.grad("a"), 0.75, kUpdateTolerance);
  EXPECT_NEAR(two.grad("b"), 1, kUpdateTolerance);
}

TEST(ClipNorm, LeavesSmallGradientsAlone) {
  TwoParameters two;
  two.optimizer->clip(11, two.optimizer->gradient_norm());
  EXPECT_EQ(two.grad("a"), 3);
  EXPECT_EQ(two.grad("b"), 4);
}

TEST(Optimizer, MultipliesTheRateByTheParametersScale) {
  TwoParameters two;
  two.optimizer->step(0.1);
  EXPECT_NEAR(read_value(two.set, "a")[0].item<double>(), 1 - 0.3, kUpdateTolerance);
  EXPECT_NEAR(read_value(two.set, "b")[0].item<double>(), 1 - 0.2, kUpdateTolerance);
}

class WithoutGradient : public testing::TestWithParam<Kind> {};

TEST_P(WithoutGradient, AParameterIsLeftOutOfTheStep) {
  ParameterSet set(1, "student", at::kCPU);
  declare(set, "a");
  declare(set, "b");
  host::TrainConfig train;
  train.optimizer.kind = GetParam();
  host::Optimizer optimizer(train, {&set});
  set_grad(set, "a", at::full({kSize}, 3, at::kFloat));
  optimizer.step(0.1);
  EXPECT_TRUE(moved(set, "a"));
  EXPECT_FALSE(moved(set, "b"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, WithoutGradient,
                         testing::Values(Kind::Sgd, Kind::Adam, Kind::AdamW));

TEST(Optimizer, ForgetsTheGradients) {
  TwoParameters two;
  two.optimizer->zero_grad();
  EXPECT_FALSE(two.set.find("a")->master.grad().defined());
}

}  // namespace
}  // namespace retort::test
