// Small networks that PyTorch itself exported and ran, made for this test (tests/exported): outputs,
// gradients, buffers and modules' results must be PyTorch's to the last bit.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/exported/reference.hpp"
#include "tests/framework/exported/made_files.hpp"

namespace retort::test {
namespace {

/// What agrees: "5 of 5", or with the worst of the others.
std::string agreement_text(const Agreement& agreement) {
  std::string text = std::to_string(agreement.equal) + " of " + std::to_string(agreement.compared);
  if (agreement.equal == agreement.compared) return text;
  return text + ", worst " + agreement.where + " by " + std::to_string(agreement.worst);
}

void expect_equal(const char* what, const Agreement& agreement, size_t least) {
  EXPECT_EQ(agreement.equal, agreement.compared) << what << ": " << agreement_text(agreement);
  EXPECT_GE(agreement.compared, least) << what;
}

class ExportedNetworks : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!has_made_files()) GTEST_SKIP() << kNoMadeFiles;
  }
};

TEST_P(ExportedNetworks, RunAndTrainAsPyTorchDoes) {
  const ExportedAgreement found =
      compare_with_reference(made_file(std::string(GetParam()) + ".pt2"),
                             made_file(std::string(GetParam()) + ".ref.safetensors"));
  const bool has_buffers = std::string(GetParam()).find("net") != std::string::npos;
  expect_equal("evaluation", found.evaluated, 1);
  expect_equal("training", found.trained, 1);
  expect_equal("gradients", found.gradients, 4);
  expect_equal("buffers", found.buffers, has_buffers ? 9 : 0);
  // Modules within a region without autocast have no signature.
  if (std::string(GetParam()) != "odd") expect_equal("taps", found.taps, 1);
}

INSTANTIATE_TEST_SUITE_P(All, ExportedNetworks,
                         ::testing::Values("resnet", "mobilenet", "vit_rand", "language", "encoder",
                                           "recurrent", "odd"),
                         [](const auto& network) { return std::string(network.param); });

/// Of the graph of training alone evaluation is made: dropout off, statistics read, counts left.
TEST(PlainExports, AreEvaluatedByOverride) {
  if (!has_made_files()) GTEST_SKIP() << kNoMadeFiles;
  for (const std::string name : {"resnet", "mobilenet"}) {
    const ExportedAgreement found = compare_with_reference(made_file(name + ".plain.pt2"),
                                                           made_file(name + ".ref.safetensors"));
    expect_equal("evaluation", found.evaluated, 1);
    expect_equal("training", found.trained, 1);
    expect_equal("gradients", found.gradients, 10);
    expect_equal("buffers", found.buffers, 9);
  }
}

TEST(PlainExports, WarnWhereEvaluationWouldDraw) {
  if (!has_made_files()) GTEST_SKIP() << kNoMadeFiles;
  host::ParameterSet parameters(1, "teacher", at::kCPU);
  const host::exported::Program program(made_file("vit_rand.plain.pt2"), parameters);
  EXPECT_NE(program.warning().find("draws with rand"), std::string::npos) << program.warning();
  host::ParameterSet others(1, "teacher", at::kCPU);
  EXPECT_EQ(host::exported::Program(made_file("vit_rand.pt2"), others).warning(), "");
}

/// What a file is for, its operators cannot always tell: a layer drop is gone from the graph.
TEST(ExportedPrograms, RefuseToTrainWhatWasWrittenForEvaluationAlone) {
  if (!has_made_files()) GTEST_SKIP() << kNoMadeFiles;
  host::ParameterSet parameters(1, "student", at::kCPU);
  const host::exported::Program program(made_file("choosing.pt2"), parameters);
  EXPECT_NE(program.train_refusal().find("holds the graph of evaluation alone"), std::string::npos)
      << program.train_refusal();
}

TEST(ExportedPrograms, HoldTiedWeightsOnce) {
  if (!has_made_files()) GTEST_SKIP() << kNoMadeFiles;
  host::ParameterSet parameters(1, "student", at::kCPU);
  const host::exported::Program program(made_file("language.pt2"), parameters);
  const host::Parameter* tied = parameters.find("out.weight");
  ASSERT_NE(tied, nullptr);
  EXPECT_EQ(tied, parameters.find("embed.weight"));
  EXPECT_EQ(tied->tied.size(), 1u);
}

TEST(ExportedPrograms, KeepFrozenWeightsFrozen) {
  if (!has_made_files()) GTEST_SKIP() << kNoMadeFiles;
  host::ParameterSet parameters(1, "student", at::kCPU);
  const host::exported::Program program(made_file("odd.pt2"), parameters);
  EXPECT_FALSE(parameters.find("conv.bias")->trained);
  parameters.learn_all();
  EXPECT_FALSE(parameters.find("conv.bias")->master.requires_grad());
  EXPECT_TRUE(parameters.find("conv.weight")->master.requires_grad());
}

}  // namespace
}  // namespace retort::test
