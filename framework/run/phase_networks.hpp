#pragma once

#include "framework/run/networks.hpp"
#include "framework/run/phases.hpp"

namespace retort::host {

/// Makes the students of a phase anew, at their start values, and its transfers, which replace those there
/// are.
void renew_students(const Session& session, const PhaseSpec& spec, Networks& networks);

/// The phase that trains these networks, which must outlive it; of all who take part the parameters that
/// it learns require gradients from here on, and no others. Its transfers are set up.
/// Throws: ConfigError for taps that do not exist, and for a learner of whom nothing lies up to its tap;
///         what setup() throws.
Phase make_phase(const Session& session, const PhaseSpec& spec, Networks& networks);

}  // namespace retort::host
