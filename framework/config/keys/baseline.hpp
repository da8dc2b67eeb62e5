#pragma once

#include <string>

#include "framework/config/section.hpp"

namespace retort::host {
struct Experiment;
}

namespace retort::host::config {

/// [baseline]: what a student with transfers is compared with. The experiment has its phases: by
/// default students are trained alone too, unless it has several or one without the task.
void read_baseline(Section section, Experiment& experiment);

std::string write_baseline(const Experiment& experiment);

}  // namespace retort::host::config
