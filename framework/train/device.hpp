#pragma once

#include <c10/core/Device.h>

#include <exception>
#include <string>

#include "framework/config/experiment.hpp"

namespace retort::host {

/// The device of a run: "auto" takes a GPU where there is one. Opens LibTorch's CUDA library when
/// it is needed.
/// Throws: EnvironmentError when a GPU is asked for and none can be used, with the reason.
at::Device choose_device(DeviceChoice choice);

/// Chooses the algorithms of a GPU; nothing to do on the CPU. `deterministic` takes only those that
/// give the same bits each time: an operator that has none then throws c10::Error. Otherwise cuDNN
/// measures which convolution is fastest. Before the first operator runs on the device.
void choose_algorithms(at::Device device, bool deterministic);

/// The operator that refused to run because it has no deterministic algorithm; "" where the failure
/// is another.
std::string operator_without_deterministic_algorithm(const std::exception& failure);

/// Waits until everything that was asked of the device is done; nothing to do on the CPU.
void synchronize(at::Device device);

/// Sets the number of threads (0: the machine's cores) and returns it.
int64_t use_threads(int64_t threads);

/// "cpu" or "cuda:0 (NVIDIA H100 80GB HBM3)".
std::string device_name(at::Device device);

/// "cpu, 2 threads".
std::string device_text(at::Device device, int64_t threads);

/// The most that LibTorch's tensors took of a GPU's memory so far, in MiB; 0 on the CPU.
double peak_gpu_memory_mib(at::Device device);

}  // namespace retort::host
