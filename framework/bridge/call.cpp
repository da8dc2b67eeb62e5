// Values of the contract to and from LibTorch's stack, checked against the operator's schema.
#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>

#include "framework/base/error.hpp"
#include "framework/bridge/checks.hpp"
#include "framework/bridge/dtype.hpp"
#include "framework/bridge/handle.hpp"
#include "framework/bridge/operators.hpp"
#include "framework/bridge/scope.hpp"

namespace retort::host {
namespace {

const char* tag_name(int32_t tag) {
  constexpr const char* kNames[] = {
      "none",           "a tensor",        "a parameter",     "an int",
      "a real",         "a bool",          "a text",          "a dtype",
      "a list of ints", "a list of reals", "a list of bools", "a list of tensors"};
  return tag >= 0 && tag < 12 ? kNames[tag] : "an unknown tag";
}

const char* wanted_name(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::Tensor:
      return "a tensor";
    case ArgumentKind::TensorList:
      return "a list of tensors";
    case ArgumentKind::Int:
      return "an int";
    case ArgumentKind::Real:
    case ArgumentKind::Number:
      return "a number";
    case ArgumentKind::Bool:
      return "a bool";
    case ArgumentKind::IntList:
      return "a list of ints";
    case ArgumentKind::RealList:
      return "a list of reals";
    case ArgumentKind::BoolList:
      return "a list of bools";
    case ArgumentKind::Dtype:
      return "a dtype";
    case ArgumentKind::Text:
      return "a text";
    case ArgumentKind::Device:
    case ArgumentKind::DefaultOnly:
      return "nothing (leave it out: the host decides)";
  }
  return "nothing";
}

[[noreturn]] void refuse(const Operator& op, const Operator::Argument& argument,
                         const retort_value& value) {
  throw PluginError(op.name + ": argument \"" + argument.name + "\" is " + tag_name(value.tag) +
                    "; it takes " + wanted_name(argument.kind) +
                    (argument.optional ? " or none" : ""));
}

/// Checks the entries of a list, or the bytes of a text.
template <class T>
void check_entries(const Operator& op, const Operator::Argument& argument, const T* entries,
                   const retort_value& value) {
  if (is_list(entries, value.count)) return;
  check_list(op.name + ": argument \"" + argument.name + "\"", entries, value.count);
}

c10::IValue tensor_list(const Operator& op, const Operator::Argument& argument,
                        const retort_value& value) {
  check_entries(op, argument, value.as.values, value);
  if (argument.optional_entries) {
    c10::List<std::optional<at::Tensor>> list;
    list.reserve(static_cast<size_t>(value.count));
    for (int64_t i = 0; i < value.count; ++i) {
      const retort_value& entry = value.as.values[i];
      list.push_back(entry.tag == RETORT_TAG_NONE ? std::optional<at::Tensor>()
                                                  : tensor_of_value(entry));
    }
    return list;
  }
  c10::List<at::Tensor> list;
  list.reserve(static_cast<size_t>(value.count));
  for (int64_t i = 0; i < value.count; ++i) {
    const retort_value& entry = value.as.values[i];
    if (entry.tag != RETORT_TAG_TENSOR && entry.tag != RETORT_TAG_PARAM)
      refuse(op, argument, entry);
    list.push_back(tensor_of_value(entry));
  }
  return list;
}

c10::IValue int_list(const Operator& op, const Operator::Argument& argument,
                     const retort_value& value) {
  c10::List<int64_t> list;
  if (value.tag == RETORT_TAG_INT) {
    const int64_t times = argument.fixed_size > 0 ? argument.fixed_size : 1;
    for (int64_t i = 0; i < times; ++i) list.push_back(value.as.integer);
  } else if (value.tag == RETORT_TAG_INTS) {
    check_entries(op, argument, value.as.integers, value);
    // One number for a fixed-size list stands for as many equal ones, as in PyTorch.
    const bool spread = value.count == 1 && argument.fixed_size > 1;
    const int64_t times = spread ? argument.fixed_size : value.count;
    list.reserve(static_cast<size_t>(times));
    for (int64_t i = 0; i < times; ++i) list.push_back(value.as.integers[spread ? 0 : i]);
  } else {
    refuse(op, argument, value);
  }
  return list;
}

c10::IValue dtype_value(const Operator& op, const Operator::Argument& argument,
                        const retort_value& value) {
  const auto type = value.tag == RETORT_TAG_DTYPE ? scalar_type_of(value.as.integer) : std::nullopt;
  if (!type) refuse(op, argument, value);
  return static_cast<int64_t>(*type);
}

c10::IValue number(const Operator& op, const Operator::Argument& argument,
                   const retort_value& value) {
  const bool real_only = argument.kind == ArgumentKind::Real;
  switch (value.tag) {
    case RETORT_TAG_REAL:
      return value.as.real;
    case RETORT_TAG_INT:
      return real_only ? c10::IValue(static_cast<double>(value.as.integer))
                       : c10::IValue(value.as.integer);
    case RETORT_TAG_BOOL:
      if (!real_only) return value.as.integer != 0;
      break;
    default:
      break;
  }
  refuse(op, argument, value);
}

c10::IValue convert(const Operator& op, const Operator::Argument& argument,
                    const retort_value& value) {
  if (value.tag == RETORT_TAG_NONE ||
      (value.tag == RETORT_TAG_TENSOR && value.as.tensor == nullptr)) {
    // Neither a default nor an optional: None is then as wrong as any other tag.
    if (argument.optional) return {};
    if (argument.default_value != nullptr) return *argument.default_value;
    refuse(op, argument, value);
  }
  switch (argument.kind) {
    case ArgumentKind::Tensor:
      if (value.tag == RETORT_TAG_TENSOR || value.tag == RETORT_TAG_PARAM)
        return tensor_of_value(value);
      break;
    case ArgumentKind::TensorList:
      if (value.tag == RETORT_TAG_TENSORS) return tensor_list(op, argument, value);
      break;
    case ArgumentKind::Int:
      if (value.tag == RETORT_TAG_INT) return value.as.integer;
      break;
    case ArgumentKind::Real:
    case ArgumentKind::Number:
      return number(op, argument, value);
    case ArgumentKind::Bool:
      if (value.tag == RETORT_TAG_BOOL) return value.as.integer != 0;
      break;
    case ArgumentKind::IntList:
      return int_list(op, argument, value);
    case ArgumentKind::RealList:
      if (value.tag == RETORT_TAG_REALS) {
        check_entries(op, argument, value.as.reals, value);
        return c10::List<double>(
            at::ArrayRef<double>(value.as.reals, static_cast<size_t>(value.count)));
      }
      break;
    case ArgumentKind::BoolList:
      if (value.tag == RETORT_TAG_BOOLS) {
        check_entries(op, argument, value.as.bools, value);
        c10::List<bool> list;
        for (int64_t i = 0; i < value.count; ++i) list.push_back(value.as.bools[i] != 0);
        return list;
      }
      break;
    case ArgumentKind::Dtype:
      return dtype_value(op, argument, value);
    case ArgumentKind::Text:
      if (value.tag == RETORT_TAG_TEXT) {
        check_entries(op, argument, value.as.text, value);
        return std::string(value.as.text, static_cast<size_t>(value.count));
      }
      break;
    case ArgumentKind::Device:
    case ArgumentKind::DefaultOnly:
      break;
  }
  refuse(op, argument, value);
}

/// Factories take the device and the float type of the scope when the plugin leaves them open. A
/// count such as arange(n) keeps LibTorch's own rule for its dtype.
void fill_factory(const Operator& op, const Scope& scope, c10::Stack& stack) {
  if (op.device_at < 0) return;
  c10::IValue& device = stack[static_cast<size_t>(op.device_at)];
  if (device.isNone()) device = scope.device;
  if (op.dtype_at < 0) return;
  c10::IValue& dtype = stack[static_cast<size_t>(op.dtype_at)];
  if (dtype.isNone() && !op.name.starts_with("aten::arange")) {
    dtype = static_cast<int64_t>(scope.float_type);
  }
}

c10::Stack make_stack(const Operator& op, const Scope& scope, const retort_value* values,
                      int64_t count) {
  if (count < 0 || count > static_cast<int64_t>(op.arguments.size())) {
    throw PluginError(op.name + " is called with " + std::to_string(count) +
                      " arguments; it takes at most " + std::to_string(op.arguments.size()));
  }
  c10::Stack stack;
  stack.reserve(op.arguments.size());
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    const Operator::Argument& argument = op.arguments[i];
    if (i < static_cast<size_t>(count)) {
      stack.push_back(convert(op, argument, values[i]));
    } else if (argument.default_value != nullptr) {
      stack.push_back(*argument.default_value);
    } else {
      throw PluginError(op.name + " is called with " + std::to_string(count) + " arguments; \"" +
                        argument.name + "\" has no default and is missing");
    }
  }
  fill_factory(op, scope, stack);
  return stack;
}

/// Whether nothing but the caller's handle and the stack knows this tensor or its memory: not a
/// tap, not another handle, and not the graph of autograd, which keeps what a backward pass will
/// read.
bool is_unshared(const at::Tensor& tensor) {
  return tensor.use_count() == 2 && tensor.has_storage() && tensor.storage().use_count() == 1 &&
         !(tensor.is_leaf() && tensor.requires_grad()) && tensor.is_non_overlapping_and_dense();
}

/// Whether a value is a tensor that its caller owns and gives up. A slot is the host's own, and so is
/// what the host lent.
bool is_given_up(const Scope& scope, const retort_value& value) {
  return (value.flags & RETORT_VALUE_LAST_USE) != 0 && value.tag == RETORT_TAG_TENSOR &&
         value.as.tensor != nullptr && !scope.lent.hold_memory_of(tensor_of(value.as.tensor));
}

/// Runs the operator with its result in the memory of its first argument, where that changes no bit
/// and nothing else needs the memory. Returns whether it did.
bool run_in_place(const Operator& op, c10::Stack& stack) {
  if (!op.in_place || !stack[0].isTensor()) return false;
  const at::Tensor& self = stack[0].toTensor();
  if (!is_unshared(self)) return false;
  if (stack.size() > 1 && stack[1].isTensor()) {
    const at::Tensor& other = stack[1].toTensor();
    if (other.sizes() != self.sizes() || other.scalar_type() != self.scalar_type()) return false;
  }
  op.in_place->callBoxed(stack);
  return true;
}

int64_t first_output_elements(const c10::Stack& results) {
  return !results.empty() && results[0].isTensor() ? results[0].toTensor().numel() : 0;
}

}  // namespace

at::Tensor tensor_of_value(const retort_value& value) {
  if (value.tag == RETORT_TAG_TENSOR) return tensor_of(value.as.tensor);
  if (value.tag == RETORT_TAG_PARAM) {
    Scope* scope = current_scope();
    if (scope == nullptr || scope->parameters == nullptr) {
      throw PluginError("a parameter is used where no network or strategy of its own is running");
    }
    return scope->parameters->resolve(value.as.integer);
  }
  throw PluginError(std::string(tag_name(value.tag)) + " is passed where a tensor is needed");
}

c10::Stack call_operator(const Operator& op, const retort_value* values, int64_t count) {
  Scope& scope = *current_scope();
  scope.undeclared.note(scope.component, op);
  c10::Stack stack = make_stack(op, scope, values, count);
  check_effects(op, scope, {values, count, stack});
  if (op.check != nullptr) op.check(stack);
  if (op.mutates) {
    run_writing(op, scope, stack);
  } else if (count > 0 && is_given_up(scope, values[0]) && run_in_place(op, stack)) {
    // The result lies in the first argument's memory.
  } else if (scope.recorder != nullptr && op.multiply_adds != nullptr) {
    const c10::Stack arguments = stack;
    op.handle.callBoxed(stack);
    scope.recorder->multiply_adds += op.multiply_adds(arguments, first_output_elements(stack));
  } else {
    op.handle.callBoxed(stack);
  }
  if (scope.recorder != nullptr) ++scope.recorder->operators;
  return stack;
}

}  // namespace retort::host
