#pragma once

#include "framework/cli/commands.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/experiment_file.hpp"
#include "framework/plugin/catalog.hpp"

namespace retort::host {

/// The plugins that a command sees: those of --plugins, then the usual folders. Files that were
/// refused are logged when `warn` is set.
Catalog scan_for_command(const CommonOptions& common, bool warn);

/// The experiment file and the plugins' manifests as they are now, which a command reads once;
/// plugin files that were refused are logged.
ExperimentFile read_for_command(const ExperimentArguments& arguments, const CommonOptions& common);

/// The experiment of it, checked.
Experiment load_for_command(const ExperimentArguments& arguments, const CommonOptions& common);

}  // namespace retort::host
