// Probing a strategy: the numbers, and what is said of inputs that do not fit.
#include "framework/run/probe.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include "framework/error.hpp"
#include "tests/framework/cli/program.hpp"
#include "tests/plugins/strategies/strategy_rig.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::map<std::string, at::Tensor> by_name(const std::vector<host::NamedTensor>& tensors) {
  return {tensors.begin(), tensors.end()};
}

/// A file of tensors and the probe of it, as the command runs it.
class Probing {
 public:
  explicit Probing(std::vector<host::NamedTensor> inputs) : inputs_(std::move(inputs)) {}

  host::ProbeResult operator()(const std::string& strategy, const Options& options = {},
                               const std::vector<host::NamedTensor>& modules = {}) {
    const auto file = scratch_.path("inputs.safetensors");
    host::save_tensors(file, inputs_, {});
    std::optional<std::filesystem::path> own;
    if (!modules.empty()) {
      own = scratch_.path("modules.safetensors");
      host::save_tensors(*own, modules, {});
    }
    const host::ComponentChoice choice = choose(RETORT_KIND_STRATEGY, strategy, options);
    return host::probe(choice, host::read_probe_inputs(file, choice.info), own, settings);
  }

  template <class Failure = host::DataError>
  std::string refusal(const std::string& strategy,
                      const std::vector<host::NamedTensor>& modules = {}) {
    return message_of<Failure>([&] { (*this)(strategy, {}, modules); });
  }

  host::ProbeSettings settings;

 private:
  Scratch scratch_;
  std::vector<host::NamedTensor> inputs_;
};

std::vector<host::NamedTensor> golden_logits(at::ScalarType type) {
  return {{"student.logits", student_logits().to(type)},
          {"teacher.logits", teacher_logits().to(type)},
          {"labels", golden_labels()}};
}

void expect_golden_kd(at::ScalarType type) {
  const host::ProbeResult found = Probing(golden_logits(type))("logits.kd");
  const Tolerance tolerance = tolerance_of(type);
  EXPECT_NEAR(found.loss, 5.04623209048, tolerance.loss * 5);
  const at::Tensor gradient = by_name(found.tensors).at("student.logits.grad");
  EXPECT_EQ(gradient.scalar_type(), type);
  EXPECT_NEAR(gradient.norm().item<double>(), 0.483829232, tolerance.gradient);
}
TEST(Probe, GivesTheReferenceLossAndGradientInFloat64) { expect_golden_kd(at::kDouble); }
TEST(Probe, GivesTheReferenceLossAndGradientInFloat32) { expect_golden_kd(at::kFloat); }

TEST(Probe, SetsTheStrategysOwnWeightsByName) {
  const at::Tensor student = student_map();
  Probing probing({{"student.features.0", student}, {"teacher.features.0", teacher_map() + 2}});
  const at::Tensor mean = student.mean({0, 2, 3});
  const at::Tensor var = (student - mean.reshape({1, -1, 1, 1})).square().mean({0, 2, 3});
  // The regressor becomes x + 2: see the tests of feature.fitnet.
  const host::ProbeResult found =
      probing("feature.fitnet", {},
              {{"regressor0.conv.weight", at::eye(6, at::kDouble).reshape({6, 6, 1, 1})},
               {"regressor0.bn.weight", (var + 1e-5).sqrt()},
               {"regressor0.bn.bias", mean + 2}});
  EXPECT_NEAR(found.loss, 1.02762151451, tolerance_of(at::kDouble).loss);
  const auto tensors = by_name(found.tensors);
  EXPECT_TRUE(all_finite(tensors.at("regressor0.conv.weight.grad")));
  EXPECT_EQ(tensors.count("regressor0.bn.running_mean.grad"), 0u) << "a buffer has no gradient";
}

TEST(Probe, RefusesWeightsThatAreNotTheStrategys) {
  Probing probing({{"student.features.0", student_map()}, {"teacher.features.0", teacher_map()}});
  EXPECT_THAT(probing.refusal("feature.fitnet", {{"conv.weight", at::ones({1}, at::kDouble)}}),
              AllOf(HasSubstr("modules.safetensors: conv.weight is no module of feature.fitnet"),
                    HasSubstr("it has: regressor0.conv.weight")));
  EXPECT_THAT(
      probing.refusal("feature.fitnet", {{"regressor0.bn.bias", at::ones({1}, at::kDouble)}}),
      HasSubstr("regressor0.bn.bias is [1]; feature.fitnet wants [6]"));
}

TEST(Probe, TakesANamedDrawFromTheFile) {
  std::vector<host::NamedTensor> inputs = {{"student.features.0", student_map()},
                                           {"teacher.features.0", teacher_map()}};
  const double drawn = Probing(inputs)("feature.mgd").loss;
  const at::Tensor mask = Probing(inputs)("feature.mgd").draws.at("mask");
  inputs.emplace_back("mask", mask);
  EXPECT_EQ(Probing(inputs)("feature.mgd").loss, drawn);
  inputs.back().second = at::full_like(mask, 0.5);
  EXPECT_NE(Probing(inputs)("feature.mgd").loss, drawn);
  inputs.back().second = at::ones({3}, at::kDouble);
  EXPECT_THAT(Probing(inputs).refusal<host::ShapeError>("feature.mgd"),
              HasSubstr("the draw \"mask\" is given as [3]; the strategy draws [4, 1, 4, 4]"));
}

TEST(Probe, RefusesATensorThatNobodyReads) {
  auto inputs = golden_logits(at::kDouble);
  inputs.emplace_back("teacher.logit", teacher_logits());
  EXPECT_THAT(Probing(inputs).refusal("logits.kd"),
              HasSubstr("\"teacher.logit\" is no input of logits.kd, and no draw of it"));
}

TEST(Probe, NamesTheInputThatDoesNotFitAndWhatIsWanted) {
  const auto with = [](const std::string& name, const at::Tensor& tensor) {
    auto inputs = golden_logits(at::kDouble);
    for (auto& input : inputs) {
      if (input.first == name) input.second = tensor;
    }
    return Probing(inputs).refusal("logits.kd");
  };
  EXPECT_THAT(with("teacher.logits", teacher_map()),
              HasSubstr("teacher.logits is [4, 6, 4, 4]; wanted [N, C] float32 or float64"));
  EXPECT_THAT(with("teacher.logits", teacher_logits().slice(0, 0, 3)),
              HasSubstr("teacher.logits is [3, 10], 3 samples; student.logits has 4"));
  EXPECT_THAT(with("teacher.logits", teacher_logits().to(at::kFloat)),
              HasSubstr("teacher.logits holds Float and the tensors before it Double"));
  EXPECT_THAT(with("labels", golden_labels() + 10),
              HasSubstr("labels holds 17; student.logits has 10 classes"));
  EXPECT_THAT(Probing({{"student.logits", student_logits()}}).refusal("logits.kd"),
              HasSubstr("teacher.logits is missing; logits.kd wants it as [N, C]"));
}

TEST(Probe, RefusesABatchThatTheStrategyCannotUse) {
  const at::Tensor one = student_embedding().slice(0, 0, 1);
  EXPECT_THAT(
      Probing({{"student.features.0", one}, {"teacher.features.0", one}}).refusal("relational.rkd"),
      HasSubstr("a batch of 1; relational.rkd wants at least 2 samples"));
}

TEST(Probe, WritesLossAndGradientsAsTheCommand) {
  const Scratch scratch;
  const std::string in = scratch.path("in.safetensors"), out = scratch.path("out.safetensors");
  host::save_tensors(in, golden_logits(at::kDouble), {});
  const Finished probe =
      retort({"probe", "logits.kd", "temperature=4", "--inputs", in, "--out", out});
  ASSERT_EQ(probe.code, 0) << probe.err;
  EXPECT_THAT(probe.out,
              AllOf(HasSubstr("loss 5.04623209048"), HasSubstr("student.logits.grad  norm 0.48")));
  const auto written = by_name(host::load_tensors(out));
  EXPECT_NEAR(written.at("loss").item<double>(), 5.04623209048, tolerance_of(at::kDouble).loss * 5);
  EXPECT_EQ(written.at("student.logits.grad").sizes(), student_logits().sizes());
}

TEST(Probe, ListsInputsDrawsAndModules) {
  const Scratch scratch;
  const std::string in = scratch.path("in.safetensors");
  host::save_tensors(
      in, {{"student.features.0", student_map()}, {"teacher.features.0", teacher_map()}}, {});
  const Finished list = retort({"probe", "feature.fitnet", "--inputs", in, "--list"});
  ASSERT_EQ(list.code, 0) << list.err;
  EXPECT_THAT(list.out, AllOf(HasSubstr("input   student.features.0"), HasSubstr("required"),
                              HasSubstr("module  regressor0.conv.weight"),
                              HasSubstr("[6, 6, 1, 1]         parameter")));
}

TEST(Probe, ReadsItsSettingsAsAnExperimentFileDoes) {
  const Scratch scratch;
  const std::string in = scratch.path("in.safetensors");
  host::save_tensors(in, golden_logits(at::kDouble), {});
  const Finished probe = retort({"probe", "logits.kd", "temperatur=2", "epoch=-1", "--inputs", in});
  EXPECT_EQ(probe.code, 2);
  EXPECT_THAT(probe.err, AllOf(HasSubstr("did you mean \"temperature\"?"),
                               HasSubstr("epoch = -1   must be >= 0"), HasSubstr("2 mistakes")));
}

}  // namespace
}  // namespace retort::test
