#pragma once

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "framework/base/error.hpp"
#include "framework/train/device.hpp"

/// Declares `device`, the GPU; skips the test where there is none.
#define RETORT_NEEDS_GPU(device)                                         \
  at::Device device = at::kCPU;                                          \
  try {                                                                  \
    device = host::choose_device(host::DeviceChoice::Cuda);              \
  } catch (const host::EnvironmentError& reason) {                       \
    GTEST_SKIP() << reason.what();                                       \
  }                                                                      \
  host::choose_algorithms(device, /*deterministic=*/false);              \
  /* Ten bits of mantissa, cuDNN's usual inputs, would hide mistakes. */ \
  at::globalContext().setAllowTF32CuDNN(false)
