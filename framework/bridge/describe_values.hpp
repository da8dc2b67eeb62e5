#pragma once

#include <cstdint>
#include <string>

#include "retort/abi.h"

namespace retort::host {

/// "(float32 [4, 10], -1, none)": what a plugin passes to an operator, for a message.
std::string describe_values(const retort_value* values, int64_t count);

}  // namespace retort::host
