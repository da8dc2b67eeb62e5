#pragma once

#include <ATen/core/ivalue.h>

#include <string>
#include <vector>

namespace retort::host::exported {

/// Arithmetic of Python's operator and math modules and of torch.sym_*, on whole and real numbers: what
/// a graph computes from sizes. "_operator.mul", "_operator.floordiv" ..
/// Throws: DataError for one that is not known, and for a division by zero.
c10::IValue run_scalar_operator(const std::string& target,
                                const std::vector<c10::IValue>& arguments);

/// Whether there is one of that name. Throws nothing.
bool is_scalar_operator(const std::string& target);

}  // namespace retort::host::exported
