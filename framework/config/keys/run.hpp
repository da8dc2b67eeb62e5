#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "framework/config/section.hpp"

namespace retort::host {

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

}  // namespace retort::host

namespace retort::host::config {

/// [run]
void read_run(Section section, RunConfig& run);

std::string write_run(const RunConfig& run);

}  // namespace retort::host::config
