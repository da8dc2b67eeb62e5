#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/bridge/scope.hpp"
#include "framework/config/experiment.hpp"
#include "framework/plugin/instance.hpp"
#include "framework/train/outputs.hpp"

namespace retort::host {

/// Where and in what numbers a network runs.
struct Placement {
  at::Device device = at::kCPU;
  bool bf16 = false;
  bool channels_last = false;
};

/// The images a network is built for.
struct InputShape {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t class_count = 0;
};

/// What one recorded forward pass tells.
struct NetworkProfile {
  int64_t parameters = 0;
  int64_t multiply_adds = 0;  // of one sample
  std::vector<std::pair<std::string, std::vector<int64_t>>>
      taps;  // in the order of publication; batch of one
};

/// A model of a plugin, built: the plugin's object and the parameters that the host keeps for it.
class Network {
 public:
  /// Builds the model. `role` is its name: with the seed it decides the start values.
  /// Throws: what the plugin throws in build().
  Network(std::string role, const NetworkConfig& config, const InputShape& input,
          const Placement& placement, uint64_t seed);

  /// x [N, C, H, W] float32 on the device. Gradients are recorded as the calling thread's gradient
  /// mode says.
  /// Throws: PluginError from the model, for logits that are no floating-point numbers, and in
  ///         training for logits that no parameter reaches; ShapeError for logits that are not [N, C],
  ///         and for a tap of another shape than profile() found; ConfigError for a tap that it does
  ///         not publish.
  Outputs forward(const at::Tensor& x, const std::vector<std::string>& taps, PassMode mode);

  /// Runs a batch of zeros once, in evaluation: parameter and multiply-add counts, and the shapes
  /// of all taps.
  const NetworkProfile& profile();

  /// The taps that names stand for: a tap is itself; `stages` are layer1, layer2 .. as the model
  /// publishes them, `last_map` is the last of these; with ".preact" behind, before their last ReLU.
  /// Throws: ConfigError naming the taps that exist, for one that does not. `place` says where the
  ///         user wrote it.
  std::vector<std::string> resolve_taps(const std::vector<std::string>& names,
                                        const std::string& key, const Place& place);
  /// The shape of a tap for a batch of n.
  std::vector<int64_t> tap_shape(const std::string& tap, int64_t n);

  ParameterSet& parameters() { return parameters_; }
  const ParameterSet& parameters() const { return parameters_; }
  const std::string& role() const { return role_; }
  const InputShape& input() const { return input_; }
  const Placement& placement() const { return placement_; }
  const ComponentInfo& component() const { return choice_.info; }
  /// Of the value that names the model.
  const Place& place() const { return choice_.place; }
  /// "resnet depth=20": the model and the options that differ from their defaults.
  std::string description() const;
  /// Puts convolution weights in the memory format of the images.
  void apply_memory_format();
  void set_step(int64_t step) { scope_.step = step; }

 private:
  Outputs run(const at::Tensor& x, Taps& taps, PassMode mode, Recorder* recorder);
  void check_logits(const at::Tensor& logits, int64_t n) const;
  void check_tap(const std::string& tap, const at::Tensor& feature) const;
  bool publishes(const std::string& tap);
  std::vector<std::string> stages();
  [[noreturn]] void refuse_tap(const std::string& tap, const std::string& key, const Place& place);

  std::string role_;
  ComponentChoice choice_;
  InputShape input_;
  Placement placement_;
  ParameterSet parameters_;
  std::unique_ptr<Instance> instance_;
  const retort_model_interface* functions_ = nullptr;
  Scope scope_;
  std::unique_ptr<NetworkProfile> profile_;
};

}  // namespace retort::host
