#pragma once

#include <string>

#include "framework/exported/code.hpp"

namespace retort::host::exported {

/// An operator of a file by its target, "torch.ops.aten.add.Tensor".
/// Throws: DataError for one that is none of LibTorch's, that this LibTorch does not have, or that
///         could reach memory or files beside its arguments.
const Operator& find_permitted(const std::string& target);

/// Why an operator that is about to be run is refused where it draws random numbers: "" for one whose
/// numbers the host draws by name, and for one that draws none with these arguments.
std::string describe_refused_draw(const Instruction& instruction);

/// Whether a call draws, with its arguments as they are.
bool draws(const Instruction& instruction);

}  // namespace retort::host::exported
