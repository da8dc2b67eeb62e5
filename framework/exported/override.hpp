#pragma once

#include <set>

#include "framework/exported/code.hpp"

namespace retort::host::exported {

/// Changes an instruction of a graph of training to what it does in evaluation: dropout does nothing,
/// running statistics are read and not written, counts stay, bernoulli_(p) is its expectation.
/// Exact but for drop paths that begin with rand: what they draw is not known to be a drop.
void override_for_evaluation(Instruction& instruction, const std::set<int>& buffer_slots);

}  // namespace retort::host::exported
