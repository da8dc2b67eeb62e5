#pragma once

#include <c10/core/Device.h>

namespace retort::host {

/// Keeps freed memory in the process: a training step frees and asks for the same blocks again, and
/// the kernel's page faults would cost a tenth of it. Before the first large allocation.
void keep_memory();

/// The most memory this process has held so far, in MiB.
double peak_memory_mib();

/// Seconds since this process started, LibTorch's loading included.
double process_seconds();

/// What the device does in a large float32 matrix product, in multiply-adds a second: what a
/// convolution could reach.
double measure_peak_multiply_adds(at::Device device);

}  // namespace retort::host
