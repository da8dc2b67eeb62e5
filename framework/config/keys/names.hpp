#pragma once

#include <string>

#include "framework/config/section.hpp"

namespace retort::host {
struct Experiment;
}

namespace retort::host::config {

/// name, which comes from `experiment.file` where it is absent, and extends.
void read_names(Section& root, Experiment& experiment);

std::string write_names(const Experiment& experiment);

}  // namespace retort::host::config
