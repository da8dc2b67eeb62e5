#pragma once

#include <string>
#include <vector>

#include "framework/train/phase.hpp"

namespace retort::host {

/// Tries the networks of a phase, and the loss of each of its transfers whatever its weight, on the
/// first batch, so that what would not learn and a term that teaches nothing are told before training.
/// Weights, buffers and metrics are then as before. The transfers must be set up.
/// Returns what is surprising, a sentence each with the place in the file, the component and its file:
/// what try_networks() finds, a transfer without weight in any step, a loss that differs for equal steps,
/// parameters of a network that neither its logits nor a bound tap depends on, or that no term of the
/// phase reaches, a loss whose gradient
/// is 0 (also with other student outputs and at the last step), one that reaches parameters of its own
/// alone, and own parameters that no loss reaches.
/// Throws: MistakesError with every loss that has no gradient path to the student or to parameters
///         of its own, for a tap to learn up to that no term reaches, and for bound tensors that
///         loss() refuses; what plugins throw.
std::vector<std::string> try_terms(const Phase& phase);

}  // namespace retort::host
