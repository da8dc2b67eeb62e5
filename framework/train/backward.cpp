#include "framework/train/backward.hpp"

#include <ATen/SequenceNumber.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <unordered_set>

#include "framework/base/error.hpp"
#include "framework/base/failure.hpp"
#include "framework/base/suggest.hpp"

namespace retort::host {
namespace {

using torch::autograd::Node;

std::string plugin_text(const ComponentInfo& info) {
  return info.id + " " + info.version + " (" + info.file.string() + ")";
}

/// What a backward pass from a network's outputs comes to, or from one tensor.
class NodesBehind {
 public:
  explicit NodesBehind(const at::Tensor& from) { add(from); }
  explicit NodesBehind(const Outputs& from) {
    add(from.logits);
    for (const at::Tensor& feature : from.features) add(feature);
  }

  /// Whether some of it was made before `first_node`. The nodes of parameters have a number above all
  /// others.
  bool lead_before(uint64_t first_node) const {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [&](const Node* node) { return node->sequence_nr() < first_node; });
  }
  bool hold(const at::Tensor& parameter) const {
    return nodes_.count(torch::autograd::impl::gradient_edge(parameter).function.get()) != 0;
  }

 private:
  void add(const at::Tensor& from) {
    if (!from.defined() || !from.requires_grad()) return;
    std::vector<const Node*> open;
    const auto visit = [&](const Node* node) {
      if (node != nullptr && nodes_.insert(node).second) open.push_back(node);
    };
    visit(torch::autograd::impl::gradient_edge(from).function.get());
    while (!open.empty()) {
      const Node* node = open.back();
      open.pop_back();
      for (const torch::autograd::Edge& edge : node->next_edges()) visit(edge.function.get());
    }
  }

  std::unordered_set<const Node*> nodes_;
};

/// The plugin whose tensors lead into the graph of an earlier step, and what it did; "" for none.
std::string find_old_graph(const LossGraph& graph) {
  constexpr const char* kWhat =
      " leads back into the graph of an earlier step: the plugin keeps a tensor with its graph "
      "from "
      "one call to the next; keep it without, as detach(x), or in a buffer that after_backward() "
      "writes";
  const std::string step = ", step " + std::to_string(graph.step) + ": ";
  for (const auto& [model, outputs] : graph.networks) {
    if (NodesBehind(*outputs).lead_before(graph.first_node)) {
      return plugin_text(*model) + ": forward()" + step + "what it returns" + kWhat;
    }
  }
  for (const auto& [strategy, loss] : graph.terms) {
    if (NodesBehind(loss).lead_before(graph.first_node)) {
      return plugin_text(*strategy) + ": loss()" + step + "its loss" + kWhat;
    }
  }
  return "";
}

std::string list_of_plugins(const LossGraph& graph) {
  std::vector<std::string> plugins;
  for (const auto& [model, outputs] : graph.networks) plugins.push_back(plugin_text(*model));
  for (const auto& [strategy, loss] : graph.terms) plugins.push_back(plugin_text(*strategy));
  return join(plugins);
}

/// Whether LibTorch's words are those of a graph that was gone back through before, or of a tensor in
/// it that was written to since.
bool tells_of_an_old_graph(const std::string& reason) {
  return reason.find("through the graph a second time") != std::string::npos ||
         reason.find("modified by an inplace operation") != std::string::npos;
}

[[noreturn]] void explain(const std::exception& failure, const LossGraph& graph) {
  const auto* torch = dynamic_cast<const c10::Error*>(&failure);
  const std::string reason = torch != nullptr ? torch->what_without_backtrace() : failure.what();
  const std::string old = tells_of_an_old_graph(reason) ? find_old_graph(graph) : "";
  if (!old.empty()) throw PluginError(old);
  throw PluginError(graph.phase + ", step " + std::to_string(graph.step) +
                    ": the backward pass failed: " + reason + "\n  in the graph that " +
                    list_of_plugins(graph) +
                    " made; take an operator with a derivative, or leave one term out at a time "
                    "(weight = 0) to find the plugin");
}

}  // namespace

uint64_t next_graph_node() { return at::sequence_number::peek(); }

std::vector<std::string> parameters_beyond(const Outputs& outputs, const ParameterSet& set) {
  const NodesBehind behind(outputs);
  std::vector<std::string> names;
  for (const Parameter& parameter : set.all()) {
    const bool learns =
        parameter.trained && parameter.master.requires_grad() && parameter.lr_scale > 0;
    if (learns && !behind.hold(parameter.master)) names.push_back(parameter.name);
  }
  return names;
}

std::vector<std::string> parameters_behind(const at::Tensor& tensor, const ParameterSet& set) {
  const NodesBehind behind(tensor);
  std::vector<std::string> names;
  for (const Parameter& parameter : set.all()) {
    const bool can_learn = parameter.trained && parameter.master.requires_grad();
    if (can_learn && behind.hold(parameter.master)) names.push_back(parameter.name);
  }
  return names;
}

void run_backward(const at::Tensor& total, const LossGraph& graph, GraphAfter after) {
  if (!total.requires_grad()) {
    throw PluginError(graph.phase + ", step " + std::to_string(graph.step) +
                      ": no term of the loss has a gradient, so nothing can be learnt, in " +
                      list_of_plugins(graph) +
                      "; compute a loss from what the step gives, without detach() and NoGrad");
  }
  try {
    total.backward({}, /*retain_graph=*/after == GraphAfter::Kept);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& failure) {
    if (out_of_memory_text(failure)) throw;
    explain(failure, graph);
  }
}

}  // namespace retort::host
