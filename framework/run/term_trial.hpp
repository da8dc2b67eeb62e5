#pragma once

#include <string>
#include <vector>

#include "framework/train/trainer.hpp"

namespace retort::host {

/// Tries the loss of each transfer on the first batch, whatever its weight, so that a term that
/// teaches nothing is told before training. Weights, buffers and metrics are then as before. The
/// transfers must be set up.
/// Returns what is surprising, a sentence each with the transfer's place, strategy and file: a loss
/// whose gradient is 0 (also with other student outputs and at the last step), one that reaches
/// parameters of its own alone, and own parameters that no loss reaches.
/// Throws: MistakesError with every loss that has no gradient path to the student or to parameters
///         of its own, or for bound tensors that loss() refuses; what plugins throw.
std::vector<std::string> try_terms(const TrainingPlan& plan);

}  // namespace retort::host
