#pragma once

#include <c10/core/ScalarType.h>

#include <optional>
#include <string>

#include "retort/abi.h"

namespace retort::host {

/// The LibTorch type of a retort_dtype, or nothing for a number that is none.
std::optional<c10::ScalarType> scalar_type_of(int64_t dtype);

/// The retort_dtype of a LibTorch type, or nothing for a type that the contract has no name for.
std::optional<retort_dtype> dtype_of(c10::ScalarType type);

/// "int64"; LibTorch's name, "ComplexFloat", where the contract has none.
std::string dtype_text(c10::ScalarType type);

}  // namespace retort::host
