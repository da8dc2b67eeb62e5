#pragma once

#include <string>
#include <vector>

#include "framework/train/phase.hpp"

namespace retort::host {

/// Tries each network of a phase on a few of a batch's samples, in evaluation and without gradients.
/// `batch` is on the device.
/// Returns what would make an evaluation depend on chance or on its batch size, a sentence each with the
/// component and its file: other outputs for the same samples a second time (looked for on the CPU
/// alone), for fewer of them, or the same for all of them.
/// Throws: PluginError for a tap of another shape than the network told before; what the model throws.
std::vector<std::string> try_networks(const Phase& phase, const Batch& batch);

}  // namespace retort::host
