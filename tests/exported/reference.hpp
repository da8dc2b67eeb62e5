#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/bridge/parameter_set.hpp"
#include "framework/exported/program.hpp"

namespace retort::test {

/// What make_reference.py wrote of a network that PyTorch ran: inputs, outputs in both modes,
/// gradients, buffers after a training pass, modules' results, and the random operators' results.
class ExportedReference {
 public:
  explicit ExportedReference(const std::filesystem::path& file);

  std::vector<at::Tensor> inputs() const { return numbered("in."); }
  std::vector<at::Tensor> evaluated() const { return numbered("eval."); }
  std::vector<at::Tensor> trained() const { return numbered("train."); }
  /// The loss is the sum of the first floating-point output times this.
  const at::Tensor& projection() const { return tensors_.at("proj"); }
  /// By name, without the prefix: "grad.", "buf.", "tap.", "draw.".
  std::map<std::string, at::Tensor> named(const std::string& prefix) const;

 private:
  std::vector<at::Tensor> numbered(const std::string& prefix) const;

  std::map<std::string, at::Tensor> tensors_;
};

/// How far one group of tensors is from the reference's.
struct Agreement {
  size_t compared = 0;
  size_t equal = 0;        // to the last bit
  double worst = 0;        // the largest difference, of the largest value of its tensor
  std::string where = {};  // of the worst
};

struct ExportedAgreement {
  Agreement evaluated, trained, gradients, buffers, taps;
};

/// Runs a program as its reference was run, with the reference's random numbers, and compares.
/// Throws: what Program throws.
ExportedAgreement compare_with_reference(const std::filesystem::path& program,
                                         const std::filesystem::path& reference);

}  // namespace retort::test
