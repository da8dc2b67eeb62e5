#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/config/section.hpp"
#include "framework/plugin/catalog.hpp"

namespace retort::host {

/// Reads an experiment file (with those it extends), applies the overrides of the command line
/// (`student.depth=8`), and checks all of it against what is installed. No code of a plugin runs.
/// Throws:  ConfigError with every mistake at once, each with its place, the value found and what
/// is accepted.
Experiment load_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides, const Catalog& catalog);

/// Every key of the host that an experiment file may have, as its reader declares it, in the order
/// of reading; what it starts with is its table.
std::vector<config::KeyInfo> experiment_keys();

}  // namespace retort::host
