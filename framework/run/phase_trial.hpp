#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/run/networks.hpp"
#include "framework/run/phases.hpp"

namespace retort::host {

/// Tries the phase at `position` with these networks before any is trained. Returns what is surprising:
/// what try_terms() finds, and each transfer whose own parameters no phase up to it trains.
/// Throws: what make_phase() and try_terms() throw.
std::vector<std::string> try_phase(const Session& session, const std::vector<PhaseSpec>& phases,
                                   size_t position, Networks& networks);

}  // namespace retort::host
