#pragma once

#include <string>

#include "framework/config/section.hpp"

namespace retort::host {
struct Experiment;
}

namespace retort::host::config {

/// [baseline]: what the student with transfers is compared with.
void read_baseline(Section section, Experiment& experiment);

std::string write_baseline(const Experiment& experiment);

}  // namespace retort::host::config
