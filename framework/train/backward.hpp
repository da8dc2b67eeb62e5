#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "framework/plugin/manifest.hpp"
#include "framework/train/network.hpp"

namespace retort::host {

/// What went into the loss of one step, so that a failing backward pass can be told with the plugin
/// that caused it.
struct LossGraph {
  std::string phase;
  int64_t step = 0;
  uint64_t first_node = 0;  // of the graph of this step: next_graph_node() before they ran
  std::vector<std::pair<const ComponentInfo*, const Outputs*>> networks;  // of those who learn
  std::vector<std::pair<const ComponentInfo*, at::Tensor>> terms;         // of the transfers
};

/// The number that the next node of this thread's autograd graph gets.
uint64_t next_graph_node();

/// The parameters that learn and of which no output depends on, by a gradient path: by name.
std::vector<std::string> parameters_beyond(const Outputs& outputs, const ParameterSet& set);

/// The parameters that a tensor depends on, by a gradient path: by name.
std::vector<std::string> parameters_behind(const at::Tensor& tensor, const ParameterSet& set);

/// What becomes of the graph: another backward pass may go through one that is kept.
enum class GraphAfter { Freed, Kept };

/// total.backward().
/// Throws: PluginError naming the plugins where no term has a gradient, where a plugin's tensors lead
///         into the graph of an earlier step, and where LibTorch refuses anything else.
void run_backward(const at::Tensor& total, const LossGraph& graph,
                  GraphAfter after = GraphAfter::Freed);

}  // namespace retort::host
