#pragma once

#include "framework/run/session.hpp"

namespace retort::host {

/// Where run.deterministic asks a GPU for the same bits each time: takes one step of each phase that
/// the run has, on networks of its own, so that an operator without a deterministic algorithm is
/// told before hours of training. Does nothing elsewhere.
/// Throws: ConfigError that names the phase, the operator and the remedy.
void check_determinism(const Session& session);

}  // namespace retort::host
