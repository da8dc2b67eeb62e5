#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "framework/bridge/door.hpp"
#include "framework/plugin/manifest.hpp"
#include "framework/train/transfer.hpp"

namespace retort::test {
namespace {

std::unique_ptr<host::Transfer> open_version(int number) {
  host::TransferConfig config;
  config.strategy.info = host::read_manifest(std::filesystem::path(RETORT_VERSIONS_DIR) /
                                             ("state_" + std::to_string(number) + ".retort"))[0];
  return std::make_unique<host::Transfer>(config, at::kCPU, 1);
}

/// Four digits: the SDK's variable, the calls its function counted, the objects and the steps that
/// the plugin counted.
int state_after_a_step(host::Transfer& transfer) {
  host::StepView step;
  step.put_outputs("student").logits = step.put_outputs("teacher").logits = at::zeros({1, 2});
  return static_cast<int>(transfer.loss(step).item<double>());
}

TEST(SdkVersions, PluginsOfDifferentOnesKeepTheirStateApart) {
  const auto first = open_version(1);
  const auto same_names = open_version(2);
  const auto other_namespace = open_version(3);
  EXPECT_EQ(state_after_a_step(*first), 1111);
  EXPECT_EQ(state_after_a_step(*first), 1212);
  EXPECT_EQ(state_after_a_step(*same_names), 2111);
  EXPECT_EQ(state_after_a_step(*other_namespace), 3111);
  EXPECT_EQ(state_after_a_step(*first), 1313);
}

}  // namespace
}  // namespace retort::test
