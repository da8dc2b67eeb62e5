#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>

#include <cstdint>
#include <map>
#include <string>

namespace retort::host::exported {

/// Results of random operators that were drawn elsewhere, by node, and those drawn here: to compare a
/// network with another program that draws otherwise.
struct HandedDraws {
  std::map<std::string, at::Tensor> given;
  std::map<std::string, at::Tensor> seen;
};

/// Draws the numbers of random operators: each a function of (seed, network, node, step) alone, so that
/// runs repeat, and a resumed one goes on with the same numbers.
class NamedDraws {
 public:
  /// `owner` is the network, with what tells one of its passes in a step from another.
  NamedDraws(uint64_t seed, std::string owner, int64_t step, HandedDraws* handed)
      : seed_(seed), owner_(std::move(owner)), step_(step), handed_(handed) {}

  /// 1 with the probability p, else 0, in the type and on the device of the options.
  at::Tensor make_bernoulli(const std::string& node, at::IntArrayRef sizes, double p,
                            const at::TensorOptions& options) const;
  /// Numbers in [0, 1).
  at::Tensor make_uniform(const std::string& node, at::IntArrayRef sizes,
                          const at::TensorOptions& options) const;

 private:
  template <class Fill>
  at::Tensor make(const std::string& node, at::IntArrayRef sizes, const at::TensorOptions& options,
                  Fill fill) const;

  uint64_t seed_;
  std::string owner_;
  int64_t step_;
  HandedDraws* handed_;
};

}  // namespace retort::host::exported
