#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <string>

#include "framework/exported/code.hpp"

namespace retort::host::exported {

/// What arguments are made with.
struct OperandContext {
  c10::Device device = c10::kCPU;
  std::function<int(const std::string&)> find_slot;  // throws for a value that was not made yet
  std::function<std::shared_ptr<const Code>(const Graph&)> compile_region;
};

/// What an instruction finds for an argument. `wanted` is the operator's, or null where it has no
/// schema: whole numbers become real ones, and numbers tensors, where it asks for those.
/// Throws: DataError for a kind of argument that the operator does not take.
Operand make_operand(const Argument& argument, const Operator::Argument* wanted,
                     const OperandContext& context);

/// A tensor of no dimension that does not decide the dtype of a result, as a Python number.
c10::IValue wrap_number(const c10::IValue& number);

}  // namespace retort::host::exported
