#pragma once

#include <string>

#include "framework/train/weights.hpp"

namespace retort::host {

/// What a message on numbers that are not finite ends with.
inline constexpr const char* kNonFiniteRemedy =
    "; lower the learning rate or a term's weight, or set train.clip_norm";

/// The same before the first update of a phase.
inline constexpr const char* kNonFiniteAtStartRemedy =
    "; the learning rate is not the cause, since nothing was updated yet: look at the model's "
    "start values or weights, data.normalize, and the options and weights of the transfers";

/// The first tensor that holds a NaN or an infinity, "\"fc.weight\" holds NaN"; "" where all are
/// finite. Waits for the device once.
std::string find_not_finite(const std::vector<NamedTensor>& tensors);

/// Writes a network's weights as a result, with save_tensors().
/// Throws: NonFiniteError naming the first tensor that is not finite; nothing is written then.
void save_network(const std::filesystem::path& file, const ParameterSet& network,
                  const SafeMetadata& metadata);

}  // namespace retort::host
