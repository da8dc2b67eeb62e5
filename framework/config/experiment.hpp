#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/place.hpp"

namespace retort::host {

struct Normalize {
  std::vector<double> mean;    // a channel each, of pixels in [0, 1]
  std::vector<double> stddev;  // "std" in the file
  Place place = {};
};

/// One step of augmentation, in order.
struct Augment {
  enum class Kind { Crop, Flip, RandAugment, Erase } kind = Kind::Flip;
  int64_t padding = 0;     // crop(padding): pixels of zero bytes on each side
  int64_t operations = 2;  // randaugment(operations, magnitude)
  int64_t magnitude = 9;   // of 30
  double probability = 0;  // erase(probability)
  Place place = {};
};

struct DataConfig {
  ComponentChoice dataset;
  int64_t batch_size = 128;
  std::vector<Augment> augment;
  std::optional<Normalize> normalize;  // the dataset's own where absent
  int64_t train_samples = 0;           // only the first ones of the training split; 0: all
  double validation = 0;  // share of the training split held out to choose the best epoch; 0: none
  double mixup = 0;       // alpha of Beta(alpha, alpha); 0: none
  double cutmix = 0;      // alpha; with both, each batch gets one or the other
};

struct OptimizerConfig {
  enum class Kind { Sgd, Adam, AdamW } kind = Kind::Sgd;
  double lr = 0.1;
  double momentum = 0.9;  // sgd
  bool nesterov = false;  // sgd
  double weight_decay = 5e-4;
  double beta1 = 0.9;  // adam, adamw: betas = [0.9, 0.999]
  double beta2 = 0.999;
  double eps = 1e-8;
};

/// The learning rate over training, after a linear warm-up. Written "cosine" or
/// { name = "multistep", milestones = [150, 180], gamma = 0.1, warmup_epochs = 1 }.
struct ScheduleConfig {
  enum class Kind { Constant, Step, Multistep, Cosine } kind = Kind::Constant;
  double warmup_epochs = 0;
  double gamma = 0.1;        // step, multistep: factor
  int64_t step_epochs = 30;  // step: epochs between two drops
  std::vector<int64_t>
      milestones;  // multistep: epochs (0-based count of finished epochs) at which the rate drops
  double min_lr = 0;  // cosine: the rate at the end
};

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

struct NetworkConfig {
  ComponentChoice model;
  std::optional<std::filesystem::path>
      weights;  // absolute, or relative to the experiment file (resolved here)
  Place weights_place;
  std::map<std::string, std::string> rename;  // prefix in the file -> prefix in the model
  std::optional<Normalize> normalize;
  TrainConfig train;  // [train], overridden key by key by [teacher].train
};

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

struct TaskConfig {
  double weight = 1;
};

enum class DeviceChoice { Auto, Cpu, Cuda };
enum class Precision { Fp32, Bf16 };

struct RunConfig {
  DeviceChoice device = DeviceChoice::Auto;
  Precision precision = Precision::Fp32;
  bool channels_last = true;
  int64_t threads = 0;  // 0: the machine's cores
  std::filesystem::path out = "runs";
  bool deterministic = false;    // CUDA: only algorithms that give the same bits each time
  int64_t checkpoint_steps = 0;  // also within epochs, every so many steps; 0: after each epoch
  bool tensorboard = false;      // event files in the run folder
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
