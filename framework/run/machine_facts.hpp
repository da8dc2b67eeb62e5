#pragma once

#include <string>

#include "framework/run/checkpoint.hpp"
#include "framework/run/session.hpp"

namespace retort::host {

/// The [[phase]] tables that the facts hold, in words: "\"hint\" of [\"hint\"], learns [\"student\"]", each; "the
/// usual ones" where there are none.
std::string list_phases(const MachineFacts& facts);

/// What decides about the bits of a run: device, threads, processor, LibTorch, the program, the
/// plugins' files, the data, the weights that were given, and the experiment's keys.
MachineFacts machine_facts(const Session& session);

/// Whether the facts hold the experiment's keys, as those of older versions do not.
bool hold_experiment(const MachineFacts& facts);

/// "threads was 2 and is 4; ..", or "" where both are equal.
std::string changes_between(const MachineFacts& was, const MachineFacts& is);

}  // namespace retort::host
