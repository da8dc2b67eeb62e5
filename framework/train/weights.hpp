#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "framework/bridge/parameter_set.hpp"
#include "framework/data/safetensors.hpp"

namespace retort::host {

/// Loads a network's parameters and buffers from a safetensors file, converted to float32. `rename`
/// maps name prefixes of the file to prefixes of the model, at a dot: { "linear" = "fc" } turns
/// linear.weight into fc.weight. PyTorch's num_batches_tracked counters are left out: nothing here
/// depends on them.
/// Throws: DataError that lists every missing, unexpected and wrongly shaped name; nothing is
///         changed then.
void load_weights(ParameterSet& parameters, const std::filesystem::path& file,
                  const std::map<std::string, std::string>& rename);

/// A named tensor to write.
using NamedTensor = std::pair<std::string, at::Tensor>;

/// All tensors of a safetensors file, in its types: floats, int64, int32, uint8 and bool.
/// Throws: DataError for a file that is damaged, and for a tensor of another type.
std::vector<NamedTensor> load_tensors(const std::filesystem::path& file);

/// The network's parameters and buffers under their own names.
std::vector<NamedTensor> named_weights(const ParameterSet& parameters);

/// Writes tensors as row-major safetensors, whole or not at all.
void save_tensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                  const SafeMetadata& metadata);

}  // namespace retort::host
