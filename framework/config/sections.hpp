#pragma once

#include <string>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/section.hpp"

namespace retort::host::config {

// One reader for each section of an experiment file. Each fills the struct, whose values before are
// the defaults, and adds what is wrong to the section's diagnostics.

void read_data(Section section, const Catalog& catalog, DataConfig& data);

/// [train], or with the values of [train] in `train` the table that overrides it key by key.
void read_train(Section section, TrainConfig& train);

/// [teacher] or [student]. `network.train` holds [train]; only a teacher may override it.
enum class NetworkRole { Teacher, Student };
void read_network(Section section, NetworkRole role, const Catalog& catalog,
                  NetworkConfig& network);

/// The list of [[transfer]] tables of the file.
void read_transfers(Section& root, const Catalog& catalog, std::vector<TransferConfig>& transfers);

void read_task(Section section, TaskConfig& task);
void read_run(Section section, RunConfig& run);

/// [sweep], by itself; check_trials tells whether its values fit the experiment.
void read_sweep(Section section, std::optional<SweepConfig>& sweep);

/// { mean = [...], std = [...] }
void read_normalize(Section section, std::optional<Normalize>& normalize);

}  // namespace retort::host::config
