#pragma once

#include <c10/core/Device.h>

#include <string>

#include "framework/config/experiment.hpp"

namespace retort::host {

/// The device of a run: "auto" takes a GPU where there is one. Opens LibTorch's CUDA library when
/// it is needed.
/// Throws: EnvironmentError when a GPU is asked for and none can be used, with the reason.
at::Device choose_device(DeviceChoice choice);

/// Waits until everything that was asked of the device is done; nothing to do on the CPU.
void synchronize(at::Device device);

/// Sets the number of threads (0: the machine's cores) and returns it.
int64_t use_threads(int64_t threads);

/// "cpu, 2 threads" or "cuda (NVIDIA H100), 16 threads".
std::string device_text(at::Device device, int64_t threads);

}  // namespace retort::host
