#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace retort::host {

/// The value of a component's option: real, int (also the position of a choice), bool or text.
using OptionValue = std::variant<double, int64_t, bool, std::string>;

}  // namespace retort::host
