#pragma once

#include "framework/run/networks.hpp"
#include "framework/run/phases.hpp"

namespace retort::host {

/// Makes what a phase trains anew, at its start values: its learner, and the transfers, of which there are
/// none where it has none.
void renew_learner(const Session& session, const PhaseSpec& spec, Networks& networks);

/// The phase that trains these networks, which must outlive it. Those transfers are set up that are not
/// when it is trained.
Phase make_phase(const Session& session, const PhaseSpec& spec, Networks& networks);

}  // namespace retort::host
