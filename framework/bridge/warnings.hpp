#pragma once

#include <string>

#include "framework/bridge/scope.hpp"

namespace retort::host {

/// Logs what a plugin warns of in build() or setup(), each warning of an instance once: a run builds
/// its networks and sets its transfers up several times. Of an instance's warnings the first 20 are
/// logged, the others counted in the scope.
void tell_warning(Scope& running, const std::string& text);

/// From here on they are told again: another run begins.
void forget_told_warnings();

}  // namespace retort::host
