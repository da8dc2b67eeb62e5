// Whether what a call of an operator does beside making its result (draws random numbers, waits for the
// device, writes to memory) may be where it is called.
#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <string>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"
#include "framework/bridge/operators.hpp"
#include "framework/bridge/scope.hpp"

namespace retort::host {
namespace {

/// Whether a call draws: a dropout with probability 0, or switched off, does not.
bool draws(const Operator& op, const c10::Stack& arguments) {
  if (!op.random) return false;
  const auto at = [&](int position) -> const c10::IValue& {
    return arguments[static_cast<size_t>(position)];
  };
  if (op.dropout_at >= 0 && at(op.dropout_at).isDouble() && at(op.dropout_at).toDouble() == 0)
    return false;
  return op.train_at < 0 || !at(op.train_at).isBool() || at(op.train_at).toBool();
}

[[noreturn]] void refuse_unfit(const Operator& op) {
  throw PluginError(
      op.name +
      " gives whatever lies in memory or in a file, which could not be repeated; take "
      "zeros or full, and read files in a data set");
}

[[noreturn]] void refuse_random(const Operator& op, const Scope& scope) {
  std::string way = "leave them out";
  if (scope.function == PluginFunction::Loss || scope.function == PluginFunction::AfterBackward) {
    way = "draw them by name: step.uniform, step.normal or step.integers";
  } else if (scope.function == PluginFunction::Setup || scope.function == PluginFunction::Build) {
    way = "give a parameter or buffer an initialiser that draws";
  }
  if (op.dropout_at >= 0) {
    way = "set " + op.arguments[static_cast<size_t>(op.dropout_at)].name + " to 0, or " + way;
  }
  throw PluginError(op.name + " draws random numbers of its own, which could not be repeated; " +
                    way);
}

[[noreturn]] void refuse_writing(const Operator& op, const Scope& scope) {
  const bool of_strategy =
      scope.function == PluginFunction::Loss || scope.function == PluginFunction::Setup;
  throw PluginError(op.name + " writes to its argument; use an operator that returns a new tensor" +
                    (of_strategy ? ", or update state in after_backward()" : ""));
}

/// An argument that an operator writes to.
struct Target {
  const at::Tensor& tensor;
  const std::string& argument;
  const Parameter* own;  // the parameter or buffer that it is, or null
  bool is_statistic;
};

void check_target(const Operator& op, const Scope& scope, const Target& target) {
  const std::string where = op.name + ": argument \"" + target.argument + "\" is ";
  if (target.own == nullptr) {
    if (!scope.lent.hold_memory_of(target.tensor)) return;
    throw PluginError(where +
                      "a tensor of the host, or a view of one, and would be written to; others use "
                      "it too: write to a copy, clone(x), or to a buffer of your own");
  }
  const std::string own =
      (target.own->trained ? "the parameter \"" : "the buffer \"") + target.own->name + "\"";
  if (op.reshapes) {
    throw PluginError(where + own +
                      ", of which it would change more than numbers; write numbers to it, with "
                      "aten::copy_");
  }
  if (target.is_statistic && target.own->trained) {
    throw PluginError(where + own +
                      ", which would be written to without a gradient; declare it as a buffer");
  }
  if (target.is_statistic && scope.function == PluginFunction::Forward && !scope.training) {
    throw PluginError(where + own +
                      ", which would change while the network is evaluated; pass whether it trains "
                      "(the host's training()), not true");
  }
}

/// The parameter or buffer that an argument is, or null.
const Parameter* find_owner(const Scope& scope, const retort_value* value,
                            const at::Tensor& tensor) {
  if (scope.parameters == nullptr) return nullptr;
  // The usual way, and the quick one.
  if (value != nullptr && value->tag == RETORT_TAG_PARAM)
    return &scope.parameters->all()[static_cast<size_t>(value->as.integer)];
  return scope.parameters->find_owner(tensor);
}

void check_targets(const Operator& op, const Scope& scope, const Call& call,
                   const std::vector<size_t>& positions, bool are_statistics) {
  for (const size_t at : positions) {
    const c10::IValue& value = call.stack[at];
    const auto check = [&](const retort_value* given, const at::Tensor& tensor) {
      if (!tensor.defined()) return;
      check_target(
          op, scope,
          {tensor, op.arguments[at].name, find_owner(scope, given, tensor), are_statistics});
    };
    if (value.isTensor()) {
      check(at < static_cast<size_t>(call.count) ? &call.values[at] : nullptr, value.toTensor());
    } else if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) check(nullptr, tensor);
    }
  }
}

/// The tensors that an operator is about to write to.
std::vector<at::Tensor> targets_of(const Operator& op, const c10::Stack& arguments) {
  std::vector<at::Tensor> targets;
  for (const size_t at : op.written) {
    if (arguments[at].isTensor()) targets.push_back(arguments[at].toTensor());
    if (!arguments[at].isTensorList()) continue;
    for (const at::Tensor& tensor : arguments[at].toTensorVector()) targets.push_back(tensor);
  }
  return targets;
}

}  // namespace

void check_effects(const Operator& op, const Scope& scope, const Call& call) {
  if (op.unfit) refuse_unfit(op);
  if (op.random && draws(op, call.stack)) refuse_random(op, scope);
  if (op.mutates && scope.function != PluginFunction::AfterBackward) refuse_writing(op, scope);
  if (op.waits != nullptr && !scope.may_wait()) {
    const char* way = op.waits(op, call.stack);
    if (way != nullptr) {
      throw PluginError(op.name +
                        " waits for the device, and the strategy does not say so; declare it with "
                        "syncs(), or " +
                        way);
    }
  }
  check_targets(op, scope, call, op.written, false);
  if (op.statistics.empty()) return;
  const c10::IValue* training =
      op.training_at < 0 ? nullptr : &call.stack[static_cast<size_t>(op.training_at)];
  if (training == nullptr || !training->isBool() || training->toBool())
    check_targets(op, scope, call, op.statistics, true);
}

void run_writing(const Operator& op, const Scope& scope, c10::Stack& stack) {
  struct Before {
    at::Tensor tensor;
    std::vector<int64_t> sizes;
    const Parameter* own;
  };
  std::vector<Before> kept;
  for (const at::Tensor& tensor : targets_of(op, stack)) {
    const Parameter* own = tensor.defined() ? find_owner(scope, nullptr, tensor) : nullptr;
    if (own != nullptr) kept.push_back({tensor, tensor.sizes().vec(), own});
  }
  // State has no history: a graph kept in a buffer would grow with every step.
  const c10::NoGradGuard without_graph;
  op.handle.callBoxed(stack);
  for (const Before& before : kept) {
    if (before.tensor.sizes() == at::IntArrayRef(before.sizes)) continue;
    throw PluginError(op.name + " changed \"" + before.own->name + "\" from shape " +
                      shape_text(before.sizes) + " to " + shape_text(before.tensor.sizes()) +
                      "; write numbers of its own shape to it");
  }
}

}  // namespace retort::host
