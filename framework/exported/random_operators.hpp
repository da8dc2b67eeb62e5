#pragma once

#include <ATen/core/ivalue.h>

#include "framework/exported/code.hpp"
#include "framework/exported/draws.hpp"

namespace retort::host::exported {

/// Runs an operator that draws, with numbers of the host's: the same operators as PyTorch's own
/// implementation on the CPU, but for where the numbers come from.
/// Source:  dropout, arXiv:1207.0580; PyTorch's dropout, scaled_dot_product_attention (its mathematical
///          form) and lstm.
/// The stack holds the arguments by the schema, and then the results.
void run_drawn(const Instruction& instruction, const NamedDraws& draws, c10::Stack& stack);

}  // namespace retort::host::exported
