// The optimizer that gives the gradients of task and transfers a momentum each.
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/framework/train/optimizer_rig.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using host::GradientGroup;
using host::OptimizerConfig;
using testing::ElementsAre;

host::TrainConfig make_dot(double weight_decay = 0.1) {
  host::TrainConfig train;
  train.optimizer.kind = OptimizerConfig::Kind::Dot;
  train.optimizer.weight_decay = weight_decay;
  return train;
}

/// What the groups' gradients are in a step: sines for the task, cosines for the transfers.
at::Tensor gradient_at(int step, GradientGroup group) {
  const at::Tensor gradient = at::empty({kSize}, at::kFloat);
  for (int64_t i = 0; i < kSize; ++i) {
    const double angle = 1 + step + 2.0 * static_cast<double>(i);
    gradient.data_ptr<float>()[i] =
        static_cast<float>(group == GradientGroup::Task ? std::sin(angle) : std::cos(angle));
  }
  return gradient;
}

/// Which groups reach a parameter in a step, a letter each: b(oth), t(ask), x (transfers), - (none).
bool reaches(char letter, GradientGroup group) {
  return letter == 'b' || letter == (group == GradientGroup::Task ? 't' : 'x');
}

/// A parameter "w" of four numbers and its optimizer.
struct OneParameter {
  explicit OneParameter(const host::TrainConfig& train, double lr_scale = 1)
      : set(make_set(lr_scale)), optimizer(train, {&set}) {}

  static host::ParameterSet make_set(double lr_scale) {
    host::ParameterSet set(1, "student", at::kCPU);
    declare(set, "w", RETORT_ROLE_WEIGHT, lr_scale);
    return set;
  }
  void give(GradientGroup group, const at::Tensor& gradient) {
    optimizer.collect(group);
    set_grad(set, "w", gradient);
  }
  void give(int step, char letter) {
    for (const GradientGroup group : host::kGradientGroups)
      if (reaches(letter, group)) give(group, gradient_at(step, group));
  }
  void step(int step, char letter) {
    give(step, letter);
    optimizer.step(0.1 / (1 + step));
    optimizer.zero_grad();
  }
  double gradient(GradientGroup group) {
    optimizer.collect(group);
    return set.find("w")->master.grad()[0].item<double>();
  }
  std::vector<double> values() {
    const at::Tensor value = read_value(set, "w");
    return {value.data_ptr<float>(), value.data_ptr<float>() + kSize};
  }

  host::ParameterSet set;
  host::Optimizer optimizer;
};

/// The formula for one element, in double.
struct DotReference {
  const OptimizerConfig& config;
  double p, task = 0, transfer = 0;

  void step(int64_t i, int step, char letter, double lr) {
    const double apart = letter == 'b' ? config.delta : 0;
    const double decay = config.weight_decay * p;
    const auto gradient = [&](GradientGroup group) {
      return gradient_at(step, group)[i].item<double>();
    };
    if (reaches(letter, GradientGroup::Task)) {
      task = (config.momentum - apart) * task + gradient(GradientGroup::Task) + decay;
      p -= lr * task;
    }
    if (reaches(letter, GradientGroup::Transfer)) {
      transfer = (config.momentum + apart) * transfer + gradient(GradientGroup::Transfer) +
                 (letter == 'b' ? 0 : decay);
      p -= lr * transfer;
    }
  }
};

struct DotCase {
  const char* name;
  std::string steps;
};
void PrintTo(const DotCase& value, std::ostream* out) { *out << value.name; }

class Dot : public testing::TestWithParam<DotCase> {};

TEST_P(Dot, FollowsItsFormula) {
  for (const double lr_scale : {1.0, 0.5}) {
    const host::TrainConfig train = make_dot();
    OneParameter one(train, lr_scale);
    std::vector<DotReference> references;
    for (const double value : one.values()) references.push_back({train.optimizer, value});
    const std::string& steps = GetParam().steps;
    for (int step = 0; step < std::ssize(steps); ++step) {
      const char letter = steps[static_cast<size_t>(step)];
      one.step(step, letter);
      for (int64_t i = 0; i < kSize; ++i)
        references[static_cast<size_t>(i)].step(i, step, letter, lr_scale * 0.1 / (1 + step));
    }
    for (size_t i = 0; i < kSize; ++i)
      EXPECT_NEAR(one.values()[i], references[i].p, kUpdateTolerance) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Steps, Dot,
                         testing::Values(DotCase{"OfBothGroups", "bbbbbb"},
                                         DotCase{"OfTheTaskAlone", "tttttt"},
                                         DotCase{"OfTransfersAlone", "xxxxxx"},
                                         DotCase{"OfTransfersThatComeAndGo", "ttbbtt"},
                                         DotCase{"OfOneGroupAfterTheOther", "tx-btx"}),
                         [](const auto& its) { return its.param.name; });

/// The values after these steps in the code of the paper's authors, in float64.
/// Source: megvii-research/mdistiller, mdistiller/engine/dot.py of commit a08d46f, with momentum 0.825
///         and momentum_kd 0.975. Of transfers alone without decay, which it leaves out at first.
TEST(DotOfTheAuthors, GivesTheSameValues) {
  struct Golden {
    const char* steps;
    double weight_decay;
    std::array<double, kSize> values;
  };
  for (const Golden& golden :
       {Golden{"bbbbb", 0.1, {0.781476608, -0.1448754702, 0.1381105564, 1.666623586}},
        Golden{"ttttt", 0.1, {0.7247555398, -0.3518840213, 0.3645532191, 1.679900297}},
        Golden{"xxxxx", 0, {1.031663186, -0.3004286002, 0.05223480454, 1.965027317}},
        Golden{"ttbbtt", 0.1, {0.8196810219, -0.4040350736, 0.3085741252, 1.769509347}}}) {
    OneParameter one(make_dot(golden.weight_decay));
    for (int step = 0; golden.steps[step] != 0; ++step) one.step(step, golden.steps[step]);
    for (size_t i = 0; i < kSize; ++i)
      EXPECT_NEAR(one.values()[i], golden.values[i], kUpdateTolerance) << golden.steps << " " << i;
  }
}

TEST(DotOfOneGroup, IsSgdToTheBit) {
  for (const char letter : {'t', 'x'}) {
    OneParameter dot(make_dot()), sgd([] {
      host::TrainConfig train = make_dot();
      train.optimizer.kind = OptimizerConfig::Kind::Sgd;
      return train;
    }());
    for (int step = 0; step < 4; ++step) {
      dot.step(step, letter);
      set_grad(sgd.set, "w",
               gradient_at(step, letter == 't' ? GradientGroup::Task : GradientGroup::Transfer));
      sgd.optimizer.step(0.1 / (1 + step));
    }
    EXPECT_EQ(dot.values(), sgd.values());
  }
}

TEST(DotOfBothGroups, IsClippedByTheNormOfTheSum) {
  OneParameter one(make_dot());
  one.give(GradientGroup::Task, at::full({kSize}, 3, at::kFloat));
  one.give(GradientGroup::Transfer, at::full({kSize}, 1, at::kFloat));
  const at::Tensor norm = one.optimizer.gradient_norm();
  EXPECT_NEAR(norm.item<double>(), 8, kUpdateTolerance);
  one.optimizer.clip(4, norm);
  EXPECT_NEAR(one.gradient(GradientGroup::Task), 1.5, kUpdateTolerance);
  EXPECT_NEAR(one.gradient(GradientGroup::Transfer), 0.5, kUpdateTolerance);
}

TEST(DotOfBothGroups, NamesAParameterWhoseGradientIsNotFiniteInEither) {
  for (const GradientGroup bad : host::kGradientGroups) {
    OneParameter one(make_dot());
    one.give(0, 'b');
    EXPECT_EQ(one.optimizer.first_bad_gradient(), "");
    one.give(bad, at::full({kSize}, __builtin_nan(""), at::kFloat));
    EXPECT_EQ(one.optimizer.first_bad_gradient(), "student/w");
    EXPECT_FALSE(std::isfinite(one.optimizer.gradient_norm().item<double>()));
  }
}

TEST(DotOfBothGroups, ForgetsBothGradients) {
  OneParameter one(make_dot());
  one.give(0, 'b');
  one.optimizer.zero_grad();
  for (const GradientGroup group : host::kGradientGroups) {
    one.optimizer.collect(group);
    EXPECT_FALSE(one.set.find("w")->master.grad().defined());
  }
}

TEST(DotOfBothGroups, GoesOnFromItsStateToTheBit) {
  for (const std::string steps : {"bbbb", "xbxb", "tbtb"}) {
    OneParameter whole(make_dot()), second(make_dot());
    const auto run = [&](OneParameter& one, int from, int to) {
      for (int step = from; step < to; ++step) one.step(step, steps[static_cast<size_t>(step)]);
    };
    run(whole, 0, 2);
    const auto saved = whole.optimizer.state();
    second.set.find("w")->master.detach().copy_(read_value(whole.set, "w"));
    second.optimizer.restore({saved.begin(), saved.end()});
    run(whole, 2, 4);
    run(second, 2, 4);
    EXPECT_EQ(whole.values(), second.values()) << steps;
  }
}

TEST(DotOfBothGroups, NamesItsMomentaByGroup) {
  const auto names_after = [](char letter) {
    OneParameter one(make_dot());
    one.step(0, letter);
    std::vector<std::string> names;
    for (const auto& [name, tensor] : one.optimizer.state()) names.push_back(name);
    return names;
  };
  EXPECT_THAT(names_after('b'), ElementsAre("student/w/first", "student/w/second"));
  EXPECT_THAT(names_after('t'), ElementsAre("student/w/first"));
  EXPECT_THAT(names_after('x'), ElementsAre("student/w/second"));
}

}  // namespace
}  // namespace retort::test
