#pragma once

#include <string>

#include "framework/config/experiment.hpp"

namespace retort::host {

/// "resnet depth=56 shortcut=A": a component and those of its options that differ from their
/// defaults.
std::string describe(const ComponentChoice& choice);

}  // namespace retort::host
