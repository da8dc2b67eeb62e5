#include "framework/bridge/door.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <spdlog/spdlog.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "framework/bridge/draw.hpp"
#include "framework/bridge/dtype.hpp"
#include "framework/bridge/handle.hpp"
#include "framework/bridge/operators.hpp"
#include "framework/bridge/scope.hpp"
#include "framework/bridge/warnings.hpp"
#include "framework/data/file_bytes.hpp"
#include "framework/error.hpp"
#include "framework/safe_text.hpp"

namespace retort::host {
namespace {

thread_local std::string last_error_text;

int32_t fail(retort_error* error, retort_code code, std::string text) {
  last_error_text = std::move(text);
  if (error != nullptr && error->struct_size >= sizeof(retort_error)) {
    error->code = code;
    const std::string_view kept = cut_text(last_error_text, sizeof(error->message) - 1);
    std::memcpy(error->message, kept.data(), kept.size());
    error->message[kept.size()] = '\0';
  }
  return code;
}

/// Runs the body of a table entry; nothing gets out but a code and a message.
template <class Body>
int32_t answer(retort_error* error, Body&& body) noexcept {
  try {
    body();
    return RETORT_OK;
  } catch (const ShapeError& failure) {
    return fail(error, RETORT_BAD_SHAPE, failure.what());
  } catch (const DataError& failure) {
    return fail(error, RETORT_BAD_DATA, failure.what());
  } catch (const ConfigError& failure) {
    return fail(error, RETORT_BAD_CONFIG, failure.what());
  } catch (const Error& failure) {
    return fail(error, RETORT_BAD_ARGUMENT, failure.what());
  } catch (const c10::Error& failure) {
    return fail(error, RETORT_OPERATOR_FAILED, failure.what_without_backtrace());
  } catch (const std::exception& failure) {
    return fail(error, RETORT_OPERATOR_FAILED, failure.what());
  } catch (...) {
    return fail(error, RETORT_FAILED, "the host threw something that is no std::exception");
  }
}

Scope& scope() {
  Scope* running = current_scope();
  if (running == nullptr) {
    throw PluginError(
        "a plugin calls the host from a thread of its own, or outside the function that the host "
        "called; " +
        std::string("call it only on the thread, and during the call, that the host made"));
  }
  return *running;
}

int32_t find_op(const char* name, const char* overload, retort_op* op, retort_error* error) {
  try {
    *op = reinterpret_cast<retort_op>(const_cast<Operator*>(&find_operator(name, overload)));
    return RETORT_OK;
  } catch (const std::exception& failure) {
    return fail(error, RETORT_NO_OPERATOR, failure.what());
  }
}

/// Number of values that one stack entry becomes.
int64_t width_of(const c10::IValue& value) {
  return value.isTensorList() ? static_cast<int64_t>(value.toTensorList().size()) : 1;
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
  } else if (!value.isNone()) {
    throw PluginError("the operator returns " + value.tagKind() +
                      ", which the contract has no value for");
  }
  return result;
}

int32_t call(retort_op handle, const retort_value* arguments, int64_t count, retort_value* results,
             int64_t capacity, int64_t* result_count, retort_error* error) {
  int64_t needed = 0;
  const int32_t code = answer(error, [&] {
    scope();
    PluginEntry::restore_floating_point();
    const auto& op = *reinterpret_cast<const Operator*>(handle);
    c10::Stack stack;
    try {
      stack = call_operator(op, arguments, count);
    } catch (const c10::Error& failure) {
      throw c10::Error({__func__, __FILE__, __LINE__},
                       op.name + ": " + failure.what_without_backtrace());
    }
    for (const c10::IValue& value : stack) needed += width_of(value);
    *result_count = needed;
    if (needed > capacity) return;
    for (c10::IValue& value : stack) {
      if (!value.isTensorList()) {
        *results++ = result_of(std::move(value));
        continue;
      }
      for (const at::Tensor& tensor : value.toTensorVector()) *results++ = result_of(tensor);
    }
  });
  if (code != RETORT_OK || needed <= capacity) return code;
  return fail(error, RETORT_CAPACITY,
              "the operator returns " + std::to_string(needed) + " values; there is room for " +
                  std::to_string(capacity));
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
    const at::Tensor tensor = tensor_of_value(*value);
    if (!tensor.defined()) throw ShapeError("the shape of an undefined tensor is asked for");
    if (tensor.dim() > RETORT_MAX_RANK) {
      throw ShapeError("a tensor of " + std::to_string(tensor.dim()) +
                       " dimensions; the contract knows at most 8");
    }
    std::copy(tensor.sizes().begin(), tensor.sizes().end(), sizes);
    *rank = static_cast<uint32_t>(tensor.dim());
  });
}

int32_t dtype(const retort_value* value, int32_t* out, retort_error* error) {
  return answer(error, [&] {
    const at::Tensor tensor = tensor_of_value(*value);
    const auto known = tensor.defined() ? dtype_of(tensor.scalar_type()) : std::nullopt;
    if (!known) throw PluginError("the tensor has no dtype that the contract knows");
    *out = *known;
  });
}

int32_t item(const retort_value* value, retort_value* out, retort_error* error) {
  return answer(error, [&] {
    if (scope().phase == Phase::Forward) {
      throw PluginError(
          "item() in a model's forward pass: it waits for the device and cannot be recorded; keep "
          "the "
          "number as a tensor");
    }
    if (!scope().may_wait()) {
      throw PluginError(
          "item() waits for the device, and the strategy does not say so; declare it with syncs(), "
          "or keep the number as a tensor");
    }
    const at::Scalar scalar = tensor_of_value(*value).item();
    *out = {};
    out->tag = scalar.isBoolean()         ? RETORT_TAG_BOOL
               : scalar.isFloatingPoint() ? RETORT_TAG_REAL
                                          : RETORT_TAG_INT;
    if (scalar.isFloatingPoint()) {
      out->as.real = scalar.toDouble();
    } else {
      out->as.integer = scalar.toLong();
    }
  });
}

int32_t copy_from_host(int32_t dtype, const int64_t* sizes, uint32_t rank, const void* data,
                       retort_tensor* out, retort_error* error) {
  return answer(error, [&] {
    const auto type = scalar_type_of(dtype);
    if (!type) throw PluginError("there is no dtype number " + std::to_string(dtype));
    at::Tensor tensor = at::empty(at::IntArrayRef(sizes, rank), at::TensorOptions().dtype(*type));
    if (tensor.numel() > 0) std::memcpy(tensor.mutable_data_ptr(), data, tensor.nbytes());
    *out = owned_handle(tensor.to(scope().device));
  });
}

int32_t grad_mode(int32_t enabled) {
  const bool previous = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(enabled != 0);
  return previous ? 1 : 0;
}

int32_t grad(const retort_value* outputs, int64_t output_count, const retort_value* inputs,
             int64_t input_count, int32_t create_graph, retort_tensor* grads, retort_error* error) {
  return answer(error, [&] {
    scope();
    PluginEntry::restore_floating_point();
    std::vector<at::Tensor> from, to;
    for (int64_t i = 0; i < output_count; ++i) from.push_back(tensor_of_value(outputs[i]));
    for (int64_t i = 0; i < input_count; ++i) to.push_back(tensor_of_value(inputs[i]));
    auto found = torch::autograd::grad(from, to, {}, true, create_graph != 0, true);
    for (size_t i = 0; i < found.size(); ++i) grads[i] = owned_handle(std::move(found[i]));
  });
}

int32_t declare(const retort_parameter_spec* spec, bool trained, int64_t* slot,
                retort_error* error) {
  return answer(error, [&] {
    Scope& running = scope();
    if ((running.phase != Phase::Build && running.phase != Phase::Setup) ||
        running.parameters == nullptr) {
      throw PluginError(std::string("a parameter is declared in ") + phase_name(running.phase) +
                        "(); declare it in Model::build or Strategy::setup");
    }
    if (spec->struct_size < sizeof(retort_parameter_spec)) {
      throw PluginError("a parameter declaration of " + std::to_string(spec->struct_size) +
                        " bytes; this host wants " + std::to_string(sizeof(retort_parameter_spec)));
    }
    *slot = running.parameters->declare(*spec, trained);
  });
}

int32_t declare_parameter(const retort_parameter_spec* spec, int64_t* slot, retort_error* error) {
  return declare(spec, true, slot, error);
}

int32_t declare_buffer(const retort_parameter_spec* spec, int64_t* slot, retort_error* error) {
  return declare(spec, false, slot, error);
}

int32_t draw(const retort_draw_spec* spec, retort_tensor* out, retort_error* error) {
  return answer(error, [&] { *out = owned_handle(draw_tensor(scope(), *spec)); });
}

int32_t publish(const char* tap, const retort_value* tensor, retort_error* error) {
  return answer(error, [&] {
    Taps* taps = scope().taps;
    if (taps != nullptr) taps->publish(tap, tensor_of_value(*tensor));
  });
}

int32_t training() {
  const Scope* running = current_scope();
  return running != nullptr && running->training ? 1 : 0;
}

int32_t log_metric(const char* name, const retort_value* value, retort_error* error) {
  return answer(error, [&] {
    const Scope& running = scope();
    if (running.metrics == nullptr) return;
    at::Tensor tensor;
    if (value->tag == RETORT_TAG_REAL || value->tag == RETORT_TAG_INT) {
      tensor = at::empty({}, at::TensorOptions().dtype(at::kFloat));
      tensor.fill_(value->tag == RETORT_TAG_REAL ? value->as.real
                                                 : static_cast<double>(value->as.integer));
    } else {
      tensor = tensor_of_value(*value);
      if (tensor.numel() != 1) {
        throw ShapeError("log(\"" + std::string(name) +
                         "\") takes a tensor of one element, not of " +
                         std::to_string(tensor.numel()));
      }
      tensor = tensor.reshape({});
    }
    running.metrics->add(running.instance + "/" + safe_line(name), tensor);
  });
}

void hand_over(FileBytes read, retort_bytes* out) {
  auto bytes = std::make_unique<FileBytes>(std::move(read));
  out->data = bytes->data();
  out->size = bytes->size();
  out->owner = bytes.release();
}

int32_t read_file_bytes(const char* path, uint64_t max_bytes, retort_bytes* out,
                        retort_error* error) {
  return answer(error, [&] { hand_over(read_file(path, max_bytes), out); });
}

int32_t read_head_bytes(const char* path, uint64_t count, retort_bytes* out, retort_error* error) {
  return answer(error, [&] { hand_over(read_head(path, count), out); });
}

void release_bytes(retort_bytes* bytes) {
  delete static_cast<FileBytes*>(bytes->owner);
  *bytes = {};
}

const char* last_error() { return last_error_text.c_str(); }

int32_t wants_tap(const char* tap) {
  const Scope* running = current_scope();
  return running != nullptr && running->taps != nullptr && running->taps->wants(tap) ? 1 : 0;
}

int32_t warn(const char* text, retort_error* error) {
  return answer(error, [&] {
    const Scope& running = scope();
    if (running.phase != Phase::Setup && running.phase != Phase::Build) {
      throw PluginError(std::string("a warning is given in ") + phase_name(running.phase) +
                        "(); give it in Model::build or Strategy::setup");
    }
    tell_warning(running, text);
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
      declare_parameter,
      declare_buffer,
      draw,
      publish,
      training,
      log_metric,
      read_file_bytes,
      release_bytes,
      last_error,
      wants_tap,
      warn,
      read_head_bytes,
  };
  return kTable;
}

}  // namespace retort::host
