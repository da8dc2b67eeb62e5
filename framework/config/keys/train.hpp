#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "framework/config/keys/optimizer.hpp"
#include "framework/config/keys/schedule.hpp"

namespace retort::host {

/// What happens where a loss or a gradient is not finite.
enum class NonFinite { Stop, Skip, Rollback };

struct TrainConfig {
  int64_t epochs = 1;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  std::optional<double> clip_norm;  // of the gradient of all parameters together
  double label_smoothing = 0;
  bool decay_bias = true;  // false: no_decay has "bias"
  bool decay_norm = true;  // false: no_decay has "bn"
  int64_t eval_batch_size = 500;
  int64_t accumulate = 1;  // batches whose gradients make one step of the optimizer
  double ema = 0;          // decay of the moving average of the student's weights; 0: none
  int64_t early_stop = 0;  // epochs without a new best after which training ends; 0: never
  NonFinite non_finite = NonFinite::Stop;
};

}  // namespace retort::host

namespace retort::host::config {

/// What may have a table of these keys in it, [teacher.train], each a table or a list of them.
inline constexpr std::array kTrainOwners = {"teacher", "student", "phase"};

/// Those of its keys that may be the name alone, optimizer = "sgd" for { name = "sgd" }, and where a
/// table with another name replaces the one of the file beneath.
inline constexpr std::array kNamedTables = {"optimizer", "schedule"};

/// [train], or with the values of [train] in `train` the table that overrides it key by key.
void read_train(Section section, TrainConfig& train);

/// The keys, without the table's header.
std::string write_train(const TrainConfig& train);

}  // namespace retort::host::config
