#pragma once

#include <string>
#include <vector>

#include "framework/config/name_list.hpp"
#include "framework/config/section.hpp"

namespace retort::host {
struct Experiment;
struct PhaseConfig;
}  // namespace retort::host

namespace retort::host::config {

/// The names that a phase may give.
struct PhaseNames {
  KnownNames transfers;
  KnownNames students;
};

/// learn = ["student:layer2", "hint"]: who is trained in a phase, a student, a student up to a tap,
/// or the own modules of a transfer; by default all that the phase's terms reach. Call it once its
/// terms were read. Where an entry is not understood every student counts as named.
void read_learn(Section& phase_section, const Experiment& experiment, const PhaseNames& names,
                PhaseConfig& phase);

/// The entries of the list.
std::vector<std::string> list_learners(const PhaseConfig& phase);

}  // namespace retort::host::config
