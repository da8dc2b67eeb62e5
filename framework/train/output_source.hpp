#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/data/batch.hpp"
#include "framework/train/network.hpp"
#include "framework/train/outputs.hpp"

namespace retort::host {

/// A view of a batch: the field that holds it, and the view's name, of which random numbers are a
/// function where a network draws any. That of the first view is "".
struct SeenField {
  std::string field;
  std::string view = {};
};

/// Gives what a participant makes of a batch: a network that runs, or outputs that were stored.
class OutputSource {
 public:
  virtual ~OutputSource() = default;

  /// The outputs for one view of a batch on the device. Gradients are recorded as the calling
  /// thread's mode says.
  /// Throws: what the model throws; ConfigError for a tap that there is not.
  virtual Outputs make_outputs(const Batch& batch, const SeenField& seen,
                               const std::vector<std::string>& taps, PassMode mode,
                               int64_t step) = 0;

  /// The taps that names stand for, see Network::resolve_taps().
  virtual std::vector<std::string> resolve_taps(const std::vector<std::string>& names,
                                                const std::string& key, const Place& place) = 0;

  /// The shapes for a batch of n. Throws: ConfigError for a tap that there is not.
  virtual OutputShapes find_shapes(const std::vector<std::string>& taps, int64_t n) = 0;

  /// The network whose parameters could learn; null where there is none.
  virtual Network* network() = 0;
};

/// A network that runs.
class LiveNetwork final : public OutputSource {
 public:
  /// The network must outlive it.
  explicit LiveNetwork(Network& network) : network_(network) {}

  Outputs make_outputs(const Batch& batch, const SeenField& seen,
                       const std::vector<std::string>& taps, PassMode mode, int64_t step) override;
  std::vector<std::string> resolve_taps(const std::vector<std::string>& names,
                                        const std::string& key, const Place& place) override;
  OutputShapes find_shapes(const std::vector<std::string>& taps, int64_t n) override;
  Network* network() override { return &network_; }

 private:
  Network& network_;
};

}  // namespace retort::host
