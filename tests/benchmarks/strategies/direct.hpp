#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>

#include "tests/plugins/strategies/strategy_rig.hpp"

// The formulas of the strategies written directly in LibTorch: what `strategy_bench` measures the
// plugins against. Each takes the way its plugin takes where the authors' is slower, so that a
// ratio tells what the plugin costs, not what the rewriting saved.

namespace retort::bench {

/// What one loss is computed from.
struct Batch {
  host::Outputs student;
  host::Outputs teacher;
  at::Tensor labels;
  std::map<std::string, at::Tensor> draws;  // given random numbers; the others are drawn
};

using Direct = std::function<at::Tensor(const Batch&)>;
using Layer = std::function<at::Tensor(const at::Tensor&)>;

/// The own parameters of the plugin's strategy, as layers for the direct formula.
class Own {
 public:
  explicit Own(test::StrategyRig& rig) : rig_(rig) {}
  at::Tensor tensor(const std::string& name) const { return rig_.parameter(name); }
  Layer conv(const std::string& name, int64_t padding = 0) const;
  Layer conv_transpose(const std::string& name, int64_t padding) const;
  Layer linear(const std::string& name) const;
  Layer batch_norm(const std::string& name) const;

 private:
  at::Tensor optional(const std::string& name) const;

  test::StrategyRig& rig_;
};

/// By the name of the strategy. The parameters are looked up once, when the formula is made.
using Directs = std::map<std::string, std::function<Direct(const Own&)>>;
Directs logits_directs();
Directs feature_directs();
Directs relational_directs();

// What several formulas share, as torch.nn.functional has it.

/// x / max(norm(x), 1e-12) along a dimension.
at::Tensor normalize(const at::Tensor& x, int64_t dim);
/// kl_div of log-probabilities with reduction "batchmean".
at::Tensor kl_batchmean(const at::Tensor& student, const at::Tensor& teacher);

}  // namespace retort::bench
