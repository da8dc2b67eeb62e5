#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/plugin/instance.hpp"
#include "framework/train/network.hpp"

namespace retort::host {

/// A model of a plugin: the plugin's object, whose passes go through the door.
class PluginNetwork final : public Network {
 public:
  /// Builds the model. Throws: what the plugin throws in build().
  PluginNetwork(std::string role, const NetworkConfig& config, const InputShape& input,
                const Placement& placement, uint64_t seed);

  /// layer1, layer2 .. as the model publishes them.
  std::vector<std::string> stages() override;

 private:
  Outputs run(const at::Tensor& x, Taps& taps, PassMode mode, Recorder* recorder) override;

  std::unique_ptr<Instance> instance_;
  const retort_model_interface* functions_ = nullptr;
  Scope scope_;
};

}  // namespace retort::host
