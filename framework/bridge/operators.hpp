#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string>
#include <vector>

#include "retort/abi.h"

namespace retort::host {

/// How a value of the contract becomes what an operator's schema asks for.
enum class ArgumentKind {
  Tensor,
  TensorList,
  Int,
  Real,
  Number,
  Bool,
  IntList,
  RealList,
  BoolList,
  Dtype,
  Text,
  Device,
  DefaultOnly,  // layout, memory format, generator: the contract has no value for it
};

/// One operator of LibTorch, with its schema read once.
struct Operator {
  struct Argument {
    std::string name;
    ArgumentKind kind = ArgumentKind::DefaultOnly;
    bool optional = false;
    bool optional_entries = false;  // of a tensor list
    int64_t fixed_size = 0;         // of an int list: one number stands for so many equal ones
    const c10::IValue* default_value = nullptr;
  };

  c10::OperatorHandle handle;
  std::string name;  // "aten::log_softmax.int"
  // The same with the result in the first argument's memory: for a caller's last use of it.
  std::optional<c10::OperatorHandle> in_place;
  std::vector<Argument> arguments;
  bool random = false;   // draws from a generator of its own
  bool mutates = false;  // writes to an argument
  bool waits = false;    // for a GPU: the shape or value of its result depends on numbers
  int device_at = -1;    // of a factory (an operator that takes no tensor): its device and dtype
  int dtype_at = -1;
  int64_t (*multiply_adds)(const c10::Stack& arguments, int64_t output_elements) = nullptr;
  // Throws for arguments that LibTorch would take and quietly do the wrong thing with.
  void (*check)(const c10::Stack& arguments) = nullptr;
};

/// Finds an operator and reads its schema; kept for the life of the process.
/// Throws:  PluginError when this LibTorch has none of that name and overload.
const Operator& find_operator(const std::string& name, const std::string& overload);

/// Runs an operator on values of the contract within the current scope, autograd included. The
/// results are left on the stack. Throws:  PluginError that names the operator and the argument, or
/// says what LibTorch said.
c10::Stack call_operator(const Operator& op, const retort_value* values, int64_t count);

/// The tensor of a value with tag tensor or param. Throws: PluginError for another tag.
at::Tensor tensor_of_value(const retort_value& value);

}  // namespace retort::host
