#pragma once

#include <string>

#include "framework/plugin/manifest.hpp"

namespace retort::host {

/// One component's options at their defaults, as a block ready to paste into an experiment file,
/// with their ranges and help as comments.
std::string option_block(const ComponentInfo& info);

/// Every key that an experiment file may have, at its default, with type, range and text as comments;
/// without a default, or where another key's default excludes it, it is commented out.
std::string experiment_block();

}  // namespace retort::host
