#pragma once

#include "framework/config/experiment.hpp"
#include "framework/config/section.hpp"
#include "framework/plugin/catalog.hpp"

namespace retort::host::config {

/// Reads a whole file: every section by its own reader, then what fits no single one of them.
/// `experiment.file` is known. The order is that of `retort inspect experiment`.
void read_experiment(Section& root, const Catalog& catalog, Purpose purpose,
                     Experiment& experiment);

}  // namespace retort::host::config
