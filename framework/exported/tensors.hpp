#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "framework/exported/archive.hpp"
#include "framework/exported/schema.hpp"

namespace retort::host::exported {

/// A tensor of a file under all of its names: weights that are tied are one.
struct NamedValue {
  std::vector<std::string> names;  // in the state_dict; at least one
  bool is_parameter = false;
  bool requires_grad = false;
  at::Tensor value;  // in memory of its own, with the file's strides; requires no gradient yet
};

/// Reads the tensors of data/weights or data/constants.
/// Throws: DataError with the tensor for sizes, strides and offsets that do not lie in its storage, for
///         two parameters that share memory in part, and for what would have to be unpickled.
std::vector<NamedValue> read_weights(const Archive& archive);
std::vector<NamedValue> read_constants(const Archive& archive);

}  // namespace retort::host::exported
