#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retort/abi.h"

namespace retort::host {

struct Scope;

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
  bool wrapped = false;  // one of those that the SDK has a function for
  bool unfit = false;    // its result is not a function of its arguments
  bool random = false;   // draws from a generator of its own, unless a dropout is switched off
  int dropout_at = -1;   // the probability that does so, and the flag
  int train_at = -1;
  // The way out where a call waits for a GPU, since the shape or value of its result depends on
  // numbers; null where it does not. No function: it never waits.
  const char* (*waits)(const Operator& op, const c10::Stack& arguments) = nullptr;
  bool mutates = false;              // writes to an argument, and says so in its schema
  std::vector<size_t> written = {};  // those arguments
  // Running statistics, which an operator updates without saying so, unless the flag is false.
  std::vector<size_t> statistics = {};
  int training_at = -1;
  bool reshapes = false;  // what it changes is not numbers, but a tensor's shape, memory or kind
  int device_at = -1;     // of a factory (an operator that takes no tensor): its device and dtype
  int dtype_at = -1;
  int64_t (*multiply_adds)(const c10::Stack& arguments, int64_t output_elements) = nullptr;
  // Throws for arguments that LibTorch would take and quietly do the wrong thing with.
  void (*check)(const c10::Stack& arguments) = nullptr;
};

/// Finds an operator and reads its schema; kept for the life of the process.
/// Throws:  PluginError when this LibTorch has none of that name and overload, with those that it has.
const Operator& find_operator(const std::string& name, const std::string& overload);

/// Runs an operator on values of the contract within the current scope, autograd included. The
/// results are left on the stack. Throws:  PluginError that names the operator and the argument, or
/// says what LibTorch said.
c10::Stack call_operator(const Operator& op, const retort_value* values, int64_t count);

/// Fills in what a call of an operator does beside making its result: draw, wait, write.
void read_effects(Operator& op, const std::string& name);

/// A call about to be made: what the plugin gave, and what the operator gets.
struct Call {
  const retort_value* values;
  int64_t count;
  const c10::Stack& stack;
};

/// Throws: PluginError where what a call does is not allowed in the scope, with the way out.
void check_effects(const Operator& op, const Scope& scope, const Call& call);

/// Runs an operator that writes to its arguments: without a graph, and so that a parameter or buffer
/// keeps its shape. Throws: PluginError where it does not.
void run_writing(const Operator& op, const Scope& scope, c10::Stack& stack);

/// The full names ("aten::add.Tensor") of the operators that the SDK's headers wrap, sorted.
std::span<const std::string_view> wrapped_operators();

/// The tensor of a value with tag tensor or param. Throws: PluginError for another tag.
at::Tensor tensor_of_value(const retort_value& value);

}  // namespace retort::host
