// Probing a strategy: the numbers, and what is said of inputs that do not fit.
#include "framework/run/probe.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "framework/base/error.hpp"
#include "tests/framework/cli/program.hpp"
#include "tests/plugins/strategies/strategy_rig.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
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
      EndsWith("a batch of 1; relational.rkd wants at least 3 samples"));
}

/// Probes silent.bank, which keeps the class of each sample: as setup.labels says, then 100 + those of
/// the step. The command's answer, and what it wrote.
struct BankProbe {
  explicit BankProbe(std::vector<host::NamedTensor> inputs,
                     const std::vector<std::string>& settings = {}) {
    const std::string in = scratch.path("in.safetensors"), out = scratch.path("out.safetensors");
    inputs.emplace_back("student.logits", student_logits().slice(0, 0, 2));
    inputs.emplace_back("teacher.logits", teacher_logits().slice(0, 0, 2));
    host::save_tensors(in, inputs, {});
    std::vector<std::string> arguments = {"--json",    "probe",           "silent.bank",
                                          "--plugins", RETORT_SILENT_DIR, "--inputs",
                                          in,          "--out",           out};
    arguments.insert(arguments.end(), settings.begin(), settings.end());
    finished = retort(arguments);
    if (finished.code != 0) return;
    told = nlohmann::json::parse(finished.out);
    written = by_name(host::load_tensors(out));
  }
  std::vector<double> bank(const std::string& name) const {
    const at::Tensor bank = written.at(name);
    return {bank.const_data_ptr<double>(), bank.const_data_ptr<double>() + bank.numel()};
  }

  Scratch scratch;
  Finished finished;
  nlohmann::json told;
  std::map<std::string, at::Tensor> written;
};

at::Tensor integers(const std::vector<int64_t>& numbers) { return at::tensor(numbers, at::kLong); }

TEST(Probe, PlacesTheLabelsOfTheTrainingSetByIndices) {
  const BankProbe probe({{"labels", integers({7, 9})}, {"indices", integers({4, 1})}});
  ASSERT_EQ(probe.finished.code, 0) << probe.finished.err;
  EXPECT_EQ(probe.bank("bank"), (std::vector<double>{0, 9, 2, 3, 7}));
  EXPECT_THAT(probe.finished.err,
              AllOf(HasSubstr("the labels of 3 of 5 training samples are not in the inputs"),
                    HasSubstr("train_labels [5] int64")));
}

TEST(Probe, RunsAfterBackwardAndWritesBuffersBeforeAndAfter) {
  const BankProbe probe({{"labels", integers({7, 9})},
                         {"indices", integers({2, 0})},
                         {"train_labels", integers({9, 5, 7})}});
  ASSERT_EQ(probe.finished.code, 0) << probe.finished.err;
  EXPECT_EQ(probe.finished.err, "");
  EXPECT_EQ(probe.bank("bank"), (std::vector<double>{9, 5, 7}));
  EXPECT_EQ(probe.bank("bank.after"), (std::vector<double>{109, 5, 107}));
  EXPECT_EQ(probe.told["buffers"]["bank.after"]["shape"], nlohmann::json({3}));
}

TEST(Probe, TakesABankOfRealSize) {
  const std::vector<host::NamedTensor> inputs = {{"labels", integers({7, 9})},
                                                 {"indices", integers({2, 0})}};
  const BankProbe large(inputs, {"train_count=5000"});
  ASSERT_EQ(large.finished.code, 0) << large.finished.err;
  EXPECT_EQ(large.bank("bank").size(), 5000U);
  const BankProbe small(inputs, {"train_count=2"});
  EXPECT_EQ(small.finished.code, 2);
  EXPECT_THAT(small.finished.err, HasSubstr("train_count = 2, but the inputs name 3 samples"));
}

TEST(Probe, RefusesASampleOfTwoClasses) {
  EXPECT_THAT(BankProbe({{"labels", integers({7, 9})}, {"indices", integers({2, 2})}}).finished.err,
              HasSubstr("the sample 2 of indices has label 9 in labels and 7 in another place"));
  EXPECT_THAT(BankProbe({{"labels", integers({7, 9})},
                         {"indices", integers({0, 1})},
                         {"train_labels", integers({7, 8})}})
                  .finished.err,
              HasSubstr("the sample 1 of indices has label 9 in labels and 8 in train_labels"));
}

TEST(Probe, AgreesOnProgressEpochAndStep) {
  const std::vector<host::NamedTensor> inputs = {{"labels", integers({7, 9})},
                                                 {"indices", integers({2, 0})}};
  const auto place = [&](const std::vector<std::string>& settings) {
    const BankProbe probe(inputs, settings);
    EXPECT_EQ(probe.finished.code, 0) << probe.finished.err;
    return probe.told["place"];
  };
  const nlohmann::json third = place({"train_count=10", "epoch=2", "epochs=4"});
  EXPECT_EQ(third["step"], 10);  // two epochs of five batches
  EXPECT_EQ(third["steps"], 20);
  EXPECT_EQ(third["progress"], 0.5);
  const nlohmann::json late = place({"train_count=10", "progress=0.75", "epochs=4"});
  EXPECT_EQ(late["step"], 15);
  EXPECT_EQ(late["epoch"], 3);
  EXPECT_EQ(place({})["step"], 0);
  EXPECT_EQ(place({"progress=1", "epochs=3"})["epoch"], 2);
}

TEST(Probe, RefusesPlacesThatContradictEachOther) {
  const std::vector<host::NamedTensor> inputs = {{"labels", integers({7, 9})},
                                                 {"indices", integers({1, 0})}};
  const BankProbe beyond(inputs, {"epoch=5", "epochs=4"});
  EXPECT_EQ(beyond.finished.code, 2);
  EXPECT_THAT(beyond.finished.err, HasSubstr("epoch = 5 and epochs = 4"));
  const BankProbe apart(inputs, {"epoch=2", "epochs=4", "progress=0.1"});
  EXPECT_EQ(apart.finished.code, 2);
  EXPECT_THAT(apart.finished.err, HasSubstr("progress = 0.1 of 4 epochs is in epoch 0"));
}

TEST(Probe, HandsOverNothingThatIsNotDeclared) {
  const Scratch scratch;
  const std::string in = scratch.path("in.safetensors");
  auto inputs = golden_logits(at::kDouble);
  inputs.emplace_back("student.features.0", student_map());
  inputs.emplace_back("teacher.features.0", teacher_map());
  host::save_tensors(in, inputs, {});
  const auto probe = [&](const std::string& id) {
    return retort({"probe", id, "--plugins", RETORT_SILENT_DIR, "--inputs", in});
  };
  const Finished labels = probe("silent.reads_labels");
  EXPECT_EQ(labels.code, 1);
  EXPECT_THAT(labels.err, AllOf(HasSubstr("does not declare that it reads student.features, "
                                          "teacher.features, labels; not handed over"),
                                HasSubstr("add needs(Labels)")));
  EXPECT_THAT(probe("silent.reads_logits").err, HasSubstr("add needs(Logits)"));
  EXPECT_THAT(probe("silent.reads_a_tap_unbound").err, HasSubstr("no tap is bound"));
  EXPECT_EQ(probe("silent.plain").code, 0) << "without a declaration it reads the logits";
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

/// The probe of silent.clashes, which has options "seed" and "epoch" as the command has.
Finished probe_clashing(const std::vector<std::string>& settings) {
  const Scratch scratch;
  const std::string in = scratch.path("in.safetensors");
  const at::Tensor ones = at::ones({2, 10}, at::kDouble);
  host::save_tensors(in, {{"student.logits", ones}, {"teacher.logits", ones}}, {});
  std::vector<std::string> arguments = {
      "--json", "probe", "silent.clashes", "--plugins", RETORT_SILENT_DIR, "--inputs", in};
  arguments.insert(arguments.end(), settings.begin(), settings.end());
  return retort(arguments);
}

TEST(Probe, TakesAnOptionOfItsOwnKeysNameByAPrefix) {
  const auto told = [](const std::vector<std::string>& settings) {
    const Finished probe = probe_clashing(settings);
    EXPECT_EQ(probe.code, 0) << probe.err;
    return nlohmann::json::parse(probe.out);
  };
  EXPECT_EQ(told({})["loss"], 305);
  const nlohmann::json both = told({"option.seed=2", "option.epoch=7", "probe.epoch=4"});
  EXPECT_EQ(both["loss"], 207);
  EXPECT_EQ(both["place"]["epoch"], 4);
}

TEST(Probe, RefusesANameThatBothHave) {
  const Finished probe = probe_clashing({"seed=2", "option.epoch=7", "epochs=9"});
  EXPECT_EQ(probe.code, 2);
  EXPECT_THAT(probe.err, AllOf(HasSubstr("seed = 2"),
                               HasSubstr("is a key of probe and an option of silent.clashes; write "
                                         "probe.seed or option.seed"),
                               testing::Not(HasSubstr("mistakes"))));
}

TEST(Probe, TakesAPrefixedKeyForNobodyElses) {
  const Finished probe = probe_clashing(
      {"option.progress=1", "probe.train_cont=4", "train_count=8", "probe.train_count=8"});
  EXPECT_EQ(probe.code, 2);
  EXPECT_THAT(probe.err, AllOf(HasSubstr("unknown key  known: seed, epoch"),
                               HasSubstr("did you mean \"train_count\"?"),
                               HasSubstr("probe.train_count   is the same as train_count"),
                               HasSubstr("3 mistakes")));
  EXPECT_THAT(probe_clashing({"option=2"}).err,
              HasSubstr("option = 2   names no key; write option.NAME=VALUE"));
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
