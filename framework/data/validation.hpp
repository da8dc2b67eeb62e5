#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace retort::host {

/// Chooses the training samples that are held out to pick the best epoch: round(share * N) of
/// them, each class by its part (largest remainders), drawn within a class by a fixed key. The
/// choice depends on the labels and the share alone, so every seed and phase holds out the same
/// samples.
/// Output:  positions in `labels`, rising.
/// Throws:  ConfigError when the share comes to no sample at all, or leaves none to train on.
std::vector<int64_t> hold_out(std::span<const int64_t> labels, int64_t class_count, double share);

}  // namespace retort::host
