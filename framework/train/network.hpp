#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/bridge/scope.hpp"
#include "framework/config/experiment.hpp"
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

/// A network, built: its parameters, which the host keeps, and what runs its passes, a plugin's model or
/// an exported program.
class Network {
 public:
  virtual ~Network() = default;
  Network(const Network&) = delete;

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

  /// The taps that names stand for: a tap is itself; `stages` are the network's feature maps, one for
  /// each of its stages, `last_map` is the last of these; with ".preact" behind, before their last
  /// ReLU.
  /// Throws: ConfigError naming the taps that exist, for one that does not. `place` says where the
  ///         user wrote it.
  std::vector<std::string> resolve_taps(const std::vector<std::string>& names,
                                        const std::string& key, const Place& place);
  /// The shape of a tap for a batch of n.
  std::vector<int64_t> tap_shape(const std::string& tap, int64_t n);
  /// The feature maps that "stages" stands for, the first ones first.
  virtual std::vector<std::string> stages() = 0;

  ParameterSet& parameters() { return parameters_; }
  const ParameterSet& parameters() const { return parameters_; }
  const std::string& role() const { return role_; }
  const InputShape& input() const { return input_; }
  const Placement& placement() const { return placement_; }
  const ComponentInfo& component() const { return choice_.info; }
  /// Of the value that names the model.
  const Place& place() const { return choice_.place; }
  /// "resnet depth=20": the model and the options that differ from their defaults.
  virtual std::string description() const;
  /// Puts convolution weights in the memory format of the images.
  void apply_memory_format();
  /// Which step the passes from here on are of, and of which of the network's views.
  void set_pass(int64_t step, const std::string& view);

 protected:
  Network(std::string role, const NetworkConfig& config, const InputShape& input,
          const Placement& placement, uint64_t seed);

  /// One pass: what the network gives, and what it publishes into `taps`. What is asked is checked
  /// by the caller.
  virtual Outputs run(const at::Tensor& x, Taps& taps, PassMode mode, Recorder* recorder) = 0;
  /// How many images profile() runs: more than one where a first dimension of 1 need not be the batch.
  virtual int64_t profile_batch() const { return 1; }
  /// "resnet 0.2.0 (plugins/resnet.retort): ", as messages begin.
  std::string where() const;
  bool publishes(const std::string& tap);
  /// That a tensor can be logits, and where the network trains that something of it can learn.
  void check_logits(const at::Tensor& logits, int64_t n, PassMode mode) const;

  const ComponentChoice& choice() const { return choice_; }
  uint64_t seed() const { return seed_; }
  int64_t step() const { return step_; }
  const std::string& view() const { return view_; }

 private:
  void check_tap(const std::string& tap, const at::Tensor& feature) const;
  [[noreturn]] void refuse_tap(const std::string& tap, const std::string& key, const Place& place);

  std::string role_;
  ComponentChoice choice_;
  InputShape input_;
  Placement placement_;
  uint64_t seed_;
  ParameterSet parameters_;
  int64_t step_ = -1;
  std::string view_;
  std::unique_ptr<NetworkProfile> profile_;
};

/// Builds a network of a plugin's model or of an exported program. `role` is its name: with the seed it
/// decides the start values.
/// Throws: what the plugin throws in build(); DataError for an exported program that is not run, and
///         for one that does not fit the data.
std::unique_ptr<Network> build_network(std::string role, const NetworkConfig& config,
                                       const InputShape& input, const Placement& placement,
                                       uint64_t seed);

/// What a network gives under bfloat16, as float32.
at::Tensor as_float(const at::Tensor& tensor);

}  // namespace retort::host
