#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/section.hpp"

namespace retort::host {

/// One value of a sweep: the key that it sets and how the value is written in TOML.
struct SweepKey {
  std::string key;                  // as on the command line: "transfer[0].temperature"
  std::vector<std::string> values;  // TOML texts: grid, list
  // draws = ...: from a range, uniform or log-uniform, or from `values`
  std::optional<double> min, max;
  bool log = false;
  bool integer = false;
};

/// [sweep]: many trials of one experiment.
struct SweepConfig {
  enum class Kind { Grid, List, Random } kind = Kind::Grid;
  std::vector<SweepKey> keys;  // list: value i of every key makes trial i
  int64_t trials = 0;          // random: how many
};

}  // namespace retort::host

namespace retort::host::config {

/// The most trials of one sweep.
inline constexpr int64_t kMostTrials = 1000000;

/// [sweep], by itself; check_trials tells whether its values fit the experiment.
void read_sweep(Section section, std::optional<SweepConfig>& sweep);

std::string write_sweep(const SweepConfig& sweep);

}  // namespace retort::host::config
