#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "framework/bridge/parameter_set.hpp"
#include "framework/io/safetensors.hpp"
#include "framework/train/weight_names.hpp"

namespace retort::host {

/// Loads a network's parameters and buffers from a safetensors file, converted to the types that they
/// have. `rename` maps beginnings of the file's names to beginnings of the model's (rename_weight).
/// PyTorch's num_batches_tracked counters may be in the file or not. A weight that is tied to another
/// is read under any of its names.
/// Throws: DataError that lists every missing, unexpected, doubled and wrongly shaped name, every one
///         of a type that is not read, and, where all fit, every tensor that holds NaN, infinity or a
///         negative running variance; nothing is changed then.
void load_weights(ParameterSet& parameters, const std::filesystem::path& file,
                  const RenameRules& rename);

/// The rules that fit no name in the file, each with what names begin with. They do no harm where
/// all weights fit, so they are no error.
std::vector<std::string> find_unused_rules(const std::filesystem::path& file,
                                           const RenameRules& rename);

/// A named tensor to write.
using NamedTensor = std::pair<std::string, at::Tensor>;

/// All tensors of a safetensors file, in its types: floats, int64, int32, uint8 and bool.
/// Throws: DataError for a file that is damaged, and for a tensor of another type.
std::vector<NamedTensor> load_tensors(const std::filesystem::path& file);

/// The network's parameters and buffers under their own names; tied ones under all of theirs.
std::vector<NamedTensor> named_weights(const ParameterSet& parameters);

/// Writes tensors as row-major safetensors, whole or not at all: float32, float64, float16, bfloat16,
/// int64, int32, uint8 and bool as they are.
/// Throws: DataError for another type.
void save_tensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                  const SafeMetadata& metadata);

}  // namespace retort::host
