#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>

#include <utility>

#include "framework/base/error.hpp"
#include "tests/plugins/strategies/strategy_rig.hpp"
#include "tests/sdk/conformance.hpp"

// On no shape that a strategy takes may it be unable to teach.
namespace retort::test {
namespace {

struct Sizes {
  int64_t samples, classes, channels, height, width;
};

std::vector<Sizes> small_sizes() {
  std::vector<Sizes> all;
  for (const int64_t samples : {1, 2, 3})
    for (const int64_t classes : {1, 2, 3})
      for (const int64_t channels : {1, 2, 5})
        for (const auto& [height, width] : {std::pair{1, 1}, {1, 2}, {2, 2}})
          all.push_back({samples, classes, channels, height, width});
  return all;
}

std::string text_of(const Sizes& sizes) {
  return std::to_string(sizes.samples) + " samples, " + std::to_string(sizes.classes) +
         " classes, maps of " + std::to_string(sizes.channels) + " x " +
         std::to_string(sizes.height) + " x " + std::to_string(sizes.width);
}

at::Tensor normal(at::IntArrayRef shape, at::Generator& generator) {
  return at::empty(shape, at::kDouble).normal_(0, 1, generator);
}

/// Logits and two taps.
host::Outputs random_outputs(const Sizes& sizes, at::Generator& generator) {
  host::Outputs outputs = logits_of(normal({sizes.samples, sizes.classes}, generator));
  for (int tap = 0; tap < 2; ++tap)
    outputs.features.push_back(
        normal({sizes.samples, sizes.channels, sizes.height, sizes.width}, generator));
  return outputs;
}

/// The default, and each choice and flag once.
std::vector<Options> option_sets(const host::ComponentInfo& strategy) {
  std::vector<Options> sets = {{}};
  for (const host::OptionInfo& option : strategy.options) {
    if (option.type == RETORT_OPTION_BOOL) sets.push_back({{option.name, option.default_int == 0}});
    for (int64_t i = 0; i < static_cast<int64_t>(option.choices.size()); ++i)
      if (i != option.default_int) sets.push_back({{option.name, i}});
  }
  return sets;
}

bool is_zero(const at::Tensor& tensor) { return tensor.abs().max().item<double>() == 0; }

/// Whether one of many random batches gives the student a gradient, with own weights that are random
/// too: a module of one channel may start with a dead ReLU.
bool teaches(StrategyRig& rig, const Sizes& sizes, at::Generator& generator) {
  for (int batch = 0; batch < 16; ++batch) {
    for (const host::Parameter& own : rig.parameters().all())
      if (own.trained) at::Tensor(own.master).set_data(normal(own.master.sizes(), generator));
    host::Outputs student = random_outputs(sizes, generator);
    student.logits.set_requires_grad(true);
    for (at::Tensor& feature : student.features) feature.set_requires_grad(true);
    rig.loss(student, random_outputs(sizes, generator)).backward();
    student.features.push_back(student.logits);
    for (const at::Tensor& tensor : student.features)
      if (tensor.grad().defined() && !is_zero(tensor.grad())) return true;
  }
  return false;
}

class StrategyShapes : public testing::TestWithParam<host::ComponentInfo> {};

TEST_P(StrategyShapes, AreRefusedWithARemedyWhereTheStudentCannotLearn) {
  for (const Options& options : option_sets(GetParam())) {
    for (const Sizes& sizes : small_sizes()) {
      if (sizes.samples < GetParam().batch_min) continue;
      SCOPED_TRACE(text_of(sizes) + (options.empty() ? "" : ", " + options.begin()->first));
      StrategyRig rig(GetParam().id, options);
      at::Generator generator = at::detail::createCPUGenerator(1);
      try {
        rig.setup(random_outputs(sizes, generator), random_outputs(sizes, generator));
      } catch (const host::Error& refusal) {
        EXPECT_THAT(refusal.what(), testing::HasSubstr("; ")) << "names no remedy";
        continue;
      }
      EXPECT_TRUE(teaches(rig, sizes, generator)) << "loss without gradient";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Built, StrategyShapes, testing::ValuesIn(built(RETORT_KIND_STRATEGY)),
                         name_of);

}  // namespace
}  // namespace retort::test
