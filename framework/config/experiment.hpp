#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/keys/data.hpp"
#include "framework/config/keys/network.hpp"
#include "framework/config/keys/phase.hpp"
#include "framework/config/keys/run.hpp"
#include "framework/config/keys/sweep.hpp"
#include "framework/config/keys/task.hpp"
#include "framework/config/keys/train.hpp"
#include "framework/config/keys/transfer.hpp"
#include "framework/config/place.hpp"

namespace retort::host {

/// What an experiment is read for: what only training would get wrong is no mistake elsewhere.
enum class Purpose { Train, Evaluate };

/// One experiment, checked and complete: everything that shapes the run, with defaults filled in.
struct Experiment {
  std::filesystem::path file;
  std::string name;
  uint64_t seed = 1;
  std::vector<uint64_t> seeds;  // more than one run, one each; empty: `seed` alone
  std::optional<SweepConfig> sweep;
  DataConfig data;
  std::vector<NetworkConfig> teachers;
  std::vector<NetworkConfig> students;  // at least one, once read
  TaskConfig task;
  std::vector<TransferConfig> transfers;
  TrainConfig train;
  std::vector<PhaseConfig> phases;  // those of the file; empty: the usual ones
  RunConfig run;
  bool student_alone = true;  // [baseline]

  /// The teacher or student of that name, or null.
  const NetworkConfig* find_network(std::string_view name) const;
  bool has_teacher() const { return !teachers.empty(); }
};

}  // namespace retort::host
