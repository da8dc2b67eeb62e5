#include "framework/bridge/door.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstring>

#include "framework/base/failure.hpp"
#include "framework/base/text.hpp"
#include "framework/bridge/checks.hpp"
#include "framework/bridge/describe_values.hpp"
#include "framework/bridge/door_answer.hpp"
#include "framework/bridge/dtype.hpp"
#include "framework/bridge/handle.hpp"
#include "framework/bridge/operators.hpp"

namespace retort::host {
namespace {

int32_t find_op(const char* name, const char* overload, retort_op* op, retort_error* error) {
  int32_t code = RETORT_OK;
  const int32_t answered = answer(error, [&] {
    try {
      const Operator& found = find_operator(&required(name, "the name of an operator"),
                                            overload == nullptr ? "" : overload);
      required(op, "an operator") = reinterpret_cast<retort_op>(const_cast<Operator*>(&found));
      Scope* running = current_scope();
      if (running != nullptr) running->undeclared.note(running->component, found);
    } catch (const PluginError& failure) {
      code = fail(error, RETORT_NO_OPERATOR, failure.what());
    }
  });
  return answered == RETORT_OK ? code : answered;
}

/// Number of values that one stack entry becomes. Throws: PluginError where the contract has none.
int64_t width_of(const Operator& op, const c10::IValue& value) {
  if (value.isTensorList()) return static_cast<int64_t>(value.toTensorList().size());
  if (value.isTensor() || value.isInt() || value.isDouble() || value.isBool() || value.isNone())
    return 1;
  throw PluginError(op.name + " returns a " + value.tagKind() +
                    ", which the contract has no value for; find another operator");
}

retort_value result_of(c10::IValue value) {
  retort_value result{};
  if (value.isTensor()) {
    at::Tensor tensor = std::move(value).toTensor();
    result.tag = tensor.defined() ? RETORT_TAG_TENSOR : RETORT_TAG_NONE;
    result.as.tensor = owned_handle(std::move(tensor));
  } else if (value.isInt()) {
    result.tag = RETORT_TAG_INT;
    result.as.integer = value.toInt();
  } else if (value.isDouble()) {
    result.tag = RETORT_TAG_REAL;
    result.as.real = value.toDouble();
  } else if (value.isBool()) {
    result.tag = RETORT_TAG_BOOL;
    result.as.integer = value.toBool() ? 1 : 0;
  }
  return result;
}

/// Runs an operator; a failure of LibTorch begins with its name.
c10::Stack run_operator(const Operator& op, const retort_value* arguments, int64_t count) {
  try {
    return call_operator(op, arguments, count);
  } catch (const c10::Error& failure) {
    if (const auto text = out_of_memory_text(failure))
      throw EnvironmentError(op.name + ": " + *text);
    throw c10::Error({__func__, __FILE__, __LINE__},
                     op.name + ": " + failure.what_without_backtrace() + "; it was called with " +
                         describe_values(arguments, count) + ": check their shapes and types");
  } catch (const std::bad_alloc& failure) {
    throw EnvironmentError(op.name + ": " + *out_of_memory_text(failure));
  }
}

int32_t call(retort_op handle, const retort_value* arguments, int64_t count, retort_value* results,
             int64_t capacity, int64_t* result_count, retort_error* error) {
  int64_t needed = 0;
  const int32_t code = answer(error, [&] {
    running_scope();
    PluginEntry::restore_floating_point();
    const auto& op =
        required(reinterpret_cast<const Operator*>(handle), "an operator, which find_op gives");
    if (count != 0) required(arguments, "the arguments of an operator");
    if (capacity > 0) required(results, "the results of an operator");
    const c10::Stack stack = run_operator(op, arguments, count);
    for (const c10::IValue& value : stack) needed += width_of(op, value);
    required(result_count, "the number of results") = needed;
    if (needed > capacity) return;
    for (const c10::IValue& value : stack) {
      if (!value.isTensorList()) {
        *results++ = result_of(value);
        continue;
      }
      for (const at::Tensor& tensor : value.toTensorVector()) *results++ = result_of(tensor);
    }
  });
  if (code != RETORT_OK || needed <= capacity) return code;
  const auto& op = *reinterpret_cast<const Operator*>(handle);
  return fail(error, RETORT_CAPACITY,
              op.name + " returns " + std::to_string(needed) + " values; there is room for " +
                  std::to_string(capacity) + "; take them all, as with Operator::many({...}, " +
                  std::to_string(needed) + ")");
}

retort_tensor retain(retort_tensor tensor) {
  if (tensor != nullptr)
    c10::raw::intrusive_ptr::incref(reinterpret_cast<c10::TensorImpl*>(tensor));
  return tensor;
}

void release(retort_tensor tensor) {
  if (tensor != nullptr)
    c10::raw::intrusive_ptr::decref(reinterpret_cast<c10::TensorImpl*>(tensor));
}

int32_t shape(const retort_value* value, int64_t* sizes, uint32_t* rank, retort_error* error) {
  return answer(error, [&] {
    const at::Tensor tensor = tensor_of_value(required(value, "a tensor"));
    if (!tensor.defined()) throw ShapeError("the shape of an undefined tensor is asked for");
    if (tensor.dim() > RETORT_MAX_RANK) {
      throw ShapeError("a tensor of " + std::to_string(tensor.dim()) +
                       " dimensions; the contract knows at most 8");
    }
    std::copy(tensor.sizes().begin(), tensor.sizes().end(), &required(sizes, "the sizes"));
    required(rank, "the rank") = static_cast<uint32_t>(tensor.dim());
  });
}

int32_t dtype(const retort_value* value, int32_t* out, retort_error* error) {
  return answer(error, [&] {
    const at::Tensor tensor = tensor_of_value(required(value, "a tensor"));
    const auto known = tensor.defined() ? dtype_of(tensor.scalar_type()) : std::nullopt;
    if (!known) throw PluginError("the tensor has no dtype that the contract knows");
    required(out, "a dtype") = *known;
  });
}

void check_item(const Scope& scope, const at::Tensor& tensor) {
  if (scope.function == PluginFunction::Forward) {
    throw PluginError(
        "item() in a model's forward pass: it waits for the device and cannot be recorded; keep "
        "the number as a tensor");
  }
  if (!scope.may_wait()) {
    throw PluginError(
        "item() waits for the device, and the strategy does not say so; declare it with syncs(), "
        "or keep the number as a tensor");
  }
  if (!tensor.defined()) throw ShapeError("item() of an undefined tensor; it takes one element");
  if (tensor.numel() != 1) {
    throw ShapeError("item() of a tensor of shape " + shape_text(tensor.sizes()) +
                     "; it takes one element");
  }
}

int32_t item(const retort_value* value, retort_value* out, retort_error* error) {
  return answer(error, [&] {
    const Scope& running = running_scope();
    const at::Tensor tensor = tensor_of_value(required(value, "a tensor"));
    check_item(running, tensor);
    const at::Scalar scalar = tensor.item();
    retort_value& found = required(out, "a scalar");
    found = {};
    found.tag = scalar.isBoolean()         ? RETORT_TAG_BOOL
                : scalar.isFloatingPoint() ? RETORT_TAG_REAL
                                           : RETORT_TAG_INT;
    if (scalar.isFloatingPoint()) {
      found.as.real = scalar.toDouble();
    } else {
      found.as.integer = scalar.toLong();
    }
  });
}

int32_t copy_from_host(int32_t dtype, const int64_t* sizes, uint32_t rank, const void* data,
                       retort_tensor* out, retort_error* error) {
  return answer(error, [&] {
    const Scope& running = running_scope();
    const auto type = scalar_type_of(dtype);
    if (!type) throw PluginError("there is no dtype number " + std::to_string(dtype));
    const at::IntArrayRef shape = check_sizes("a tensor copied from memory has", sizes, rank, 0);
    at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(*type));
    if (tensor.numel() > 0) {
      required(static_cast<const char*>(data), "the numbers of a tensor");
      std::memcpy(tensor.mutable_data_ptr(), data, tensor.nbytes());
    }
    required(out, "a tensor") = owned_handle(tensor.to(running.device));
  });
}

int32_t grad_mode(int32_t enabled) {
  const bool previous = c10::GradMode::is_enabled();
  // Outside of a call it would stay as it is set, for the host.
  if (current_scope() != nullptr) c10::GradMode::set_enabled(enabled != 0);
  return previous ? 1 : 0;
}

std::vector<at::Tensor> tensors_of(const char* what, const retort_value* values, int64_t count) {
  check_list(what, values, count);
  std::vector<at::Tensor> tensors;
  for (int64_t i = 0; i < count; ++i) {
    tensors.push_back(tensor_of_value(values[i]));
    if (!tensors.back().defined())
      throw ShapeError(std::string(what) + " holds an undefined tensor; leave it out");
  }
  return tensors;
}

std::vector<at::Tensor> gradients(const std::vector<at::Tensor>& outputs,
                                  const std::vector<at::Tensor>& inputs, bool create_graph) {
  try {
    return torch::autograd::grad(outputs, inputs, {}, true, create_graph, true);
  } catch (const c10::Error& failure) {
    if (out_of_memory_text(failure)) throw;
    const std::string text = failure.what_without_backtrace();
    const bool is_old = text.find("backward through the graph a second time") != std::string::npos;
    throw PluginError(
        is_old ? "grad() goes through the graph of an earlier step, which is freed; keep detach(x) "
                 "of what outlives a step"
               : "grad(): " + text);
  }
}

int32_t grad(const retort_value* outputs, int64_t output_count, const retort_value* inputs,
             int64_t input_count, int32_t create_graph, retort_tensor* grads, retort_error* error) {
  return answer(error, [&] {
    running_scope();
    PluginEntry::restore_floating_point();
    const auto from = tensors_of("the list of outputs of grad()", outputs, output_count);
    const auto to = tensors_of("the list of inputs of grad()", inputs, input_count);
    if (!to.empty()) required(grads, "the gradients");
    auto found = gradients(from, to, create_graph != 0);
    for (size_t i = 0; i < found.size(); ++i) grads[i] = owned_handle(std::move(found[i]));
  });
}

}  // namespace

const retort_host& host_table() {
  static constexpr retort_host kTable = {
      sizeof(retort_host),
      RETORT_ABI_MAJOR,
      RETORT_ABI_MINOR,
      0,
      find_op,
      call,
      retain,
      release,
      shape,
      dtype,
      item,
      copy_from_host,
      grad_mode,
      grad,
      door::declare_parameter,
      door::declare_buffer,
      door::draw,
      door::publish,
      door::training,
      door::log_metric,
      door::read_file_bytes,
      door::release_bytes,
      last_error_text,
      door::wants_tap,
      door::warn,
      door::read_head_bytes,
  };
  return kTable;
}

}  // namespace retort::host
