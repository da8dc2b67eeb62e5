#pragma once

#include <string>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/section.hpp"

namespace retort::host::config {

// One reader for each section of an experiment file. Each fills the struct, whose values before are
// the defaults, and adds what is wrong to the section's diagnostics.

/// The list of [[transfer]] tables of the file.
void read_transfers(Section& root, const Catalog& catalog, std::vector<TransferConfig>& transfers);

/// [sweep], by itself; check_trials tells whether its values fit the experiment.
void read_sweep(Section section, std::optional<SweepConfig>& sweep);

}  // namespace retort::host::config
