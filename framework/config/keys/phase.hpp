#pragma once

#include <string>
#include <vector>

#include "framework/config/keys/train.hpp"
#include "framework/config/place.hpp"

namespace retort::host {

struct Experiment;

/// What is trained in a phase: a student, whole or up to a tap. What lies behind the tap runs, but
/// is neither updated nor decayed.
struct LearnerConfig {
  std::string student;
  std::string up_to;  // a tap; "": the whole network
  Place place;
};

/// One [[phase]].
struct PhaseConfig {
  std::string name;
  bool task = true;                    // the task's term is among its terms
  std::vector<std::string> transfers;  // names of those that are, in the order of [[transfer]]
  std::vector<LearnerConfig> learn;    // students that are trained
  // Transfers whose own modules are trained; those of the others stay as they are.
  std::vector<std::string> modules;
  TrainConfig train;  // [train], overridden key by key
  Place place;
  std::string key = "phase[0]";  // its place in the file
};

}  // namespace retort::host

namespace retort::host::config {

/// The list of [[phase]] tables. The experiment has its networks and transfers.
void read_phases(Section& root, Experiment& experiment);

std::string write_phases(const std::vector<PhaseConfig>& phases);

}  // namespace retort::host::config
