#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/exported/program.hpp"
#include "framework/train/network.hpp"

namespace retort::host {

/// A network of PyTorch from a file of torch.export, which the host itself runs.
class ExportedNetwork final : public Network {
 public:
  /// Reads the program. Throws: DataError for one that is not run; ConfigError where its image size,
  /// classes or outputs are not the data's.
  ExportedNetwork(std::string role, const NetworkConfig& config, const InputShape& input,
                  const Placement& placement, uint64_t seed);

  /// Of each size of feature map the last that a module returns, from the largest on; maps of one
  /// pixel are none.
  std::vector<std::string> stages() override;
  std::string description() const override;

 private:
  int64_t profile_batch() const override { return 2; }
  Outputs run(const at::Tensor& x, Taps& taps, PassMode mode, Recorder* recorder) override;
  void check_input();
  void choose_logits(const ProgramConfig& config);
  exported::NamedDraws make_draws(PassMode mode) const;

  ProgramConfig config_;
  std::unique_ptr<exported::Program> program_;
  size_t logits_ = 0;  // which output
};

}  // namespace retort::host
