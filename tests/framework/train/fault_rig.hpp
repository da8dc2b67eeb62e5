#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "tests/framework/train/train_rig.hpp"

namespace retort::test {

/// The plugin whose training steps go wrong on demand.
inline const host::Catalog& fault_plugins() {
  static const host::Catalog catalog = host::Catalog::scan({RETORT_FAULTS_DIR});
  return catalog;
}

/// Adds a faulty strategy to the rig.
inline void add_fault(TrainingRig& rig, const std::string& strategy, const Options& options = {}) {
  host::TransferConfig config;
  config.name = "fault";
  config.strategy = choose_from(fault_plugins(), RETORT_KIND_STRATEGY, strategy, options);
  rig.add(std::make_shared<host::Transfer>(config, at::kCPU, 1));
}

/// Gives the rig a student that is wrong in this way: see step_faults.cpp.
inline void use_faulty_student(TrainingRig& rig, const std::string& wrong) {
  const std::vector<std::string> ways = {"nothing", "old_graph", "buffer", "nan_in_evaluation"};
  const auto way = std::find(ways.begin(), ways.end(), wrong) - ways.begin();
  host::NetworkConfig config;
  config.model = choose_from(fault_plugins(), RETORT_KIND_MODEL, "test.faulty",
                             {{"wrong", static_cast<int64_t>(way)}});
  const host::ImageData& data = rig.data;
  const host::InputShape input = {data.channels, data.height, data.width, data.class_count};
  rig.use_student(host::build_network("student", config, input, host::Placement{}, 1));
}

/// All that a loop holds at one moment, in copies.
struct Moment {
  explicit Moment(const host::Loop& loop)
      : state(loop.state()), rollback(loop.rollback_state()), tensors(loop.tensors()) {
    for (auto& [name, tensor] : tensors) tensor = tensor.detach().clone();
  }
  host::TrainingState state;
  std::optional<host::TrainingState> rollback;
  std::vector<host::NamedTensor> tensors;
};

/// Expects the same tensors and sums, bit for bit. Counts of steps may differ.
inline void expect_equal(const Moment& found, const Moment& wanted) {
  const std::map<std::string, at::Tensor> others(wanted.tensors.begin(), wanted.tensors.end());
  EXPECT_EQ(found.tensors.size(), others.size());
  for (const auto& [name, tensor] : found.tensors) {
    const auto other = others.find(name);
    ASSERT_NE(other, others.end()) << name;
    EXPECT_TRUE(tensor.equal(other->second)) << name;
  }
  EXPECT_EQ(found.state.terms, wanted.state.terms);
  EXPECT_EQ(found.state.loss_sums, wanted.state.loss_sums);
  EXPECT_EQ(found.state.loss_count, wanted.state.loss_count);
  EXPECT_EQ(found.state.metric_counts, wanted.state.metric_counts);
}

}  // namespace retort::test
