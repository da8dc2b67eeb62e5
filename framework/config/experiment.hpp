#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/keys/data.hpp"
#include "framework/config/keys/network.hpp"
#include "framework/config/keys/run.hpp"
#include "framework/config/keys/task.hpp"
#include "framework/config/keys/train.hpp"
#include "framework/config/place.hpp"

namespace retort::host {

/// A weight that moves linearly from `from` (up to epoch `begin`) to `to` (from epoch `end` on). A
/// number: from == to. Epochs are counted from 0 and may be fractions: the start of the second
/// epoch is 1.
struct WeightSchedule {
  double from = 1;
  double to = 1;
  double begin_epoch = 0;
  double end_epoch = 0;
};

struct TransferConfig {
  std::string name;  // the strategy's id unless given; unique in the experiment
  ComponentChoice strategy;
  WeightSchedule weight;
  std::vector<std::string> bind_student;
  std::vector<std::string> bind_teacher;
  Place bind_student_place;
  Place bind_teacher_place;
};

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

/// One experiment, checked and complete: everything that shapes the run, with defaults filled in.
struct Experiment {
  std::filesystem::path file;
  std::string name;
  uint64_t seed = 1;
  std::vector<uint64_t> seeds;  // more than one run, one each; empty: `seed` alone
  std::optional<SweepConfig> sweep;
  DataConfig data;
  std::optional<NetworkConfig> teacher;
  NetworkConfig student;
  TaskConfig task;
  std::vector<TransferConfig> transfers;
  TrainConfig train;
  RunConfig run;
  bool student_alone = true;  // [baseline]
};

}  // namespace retort::host
