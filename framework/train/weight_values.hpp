#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace retort::host {

/// Looks for values that no network can use: NaN, infinity, what float32 cannot hold, and variances
/// (of a tensor whose name ends with running_var) below 0.
/// Input:   a tensor of any float type, on any device; `name` is its name.
/// Output:  "conv1.weight: 3 of 432 values are not finite, the first is nan at [0, 1, 2, 0]"; "" where
///          every value is usable.
std::string describe_unusable(const std::string& name, const at::Tensor& tensor);

}  // namespace retort::host
