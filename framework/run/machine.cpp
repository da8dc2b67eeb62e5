#include "framework/run/machine.hpp"

#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "framework/train/device.hpp"

namespace retort::host {

double peak_memory_mib() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double measure_peak_multiply_adds(at::Device device) {
  constexpr int64_t kSize = 1536;
  const at::Tensor a = at::ones({kSize, kSize}, at::TensorOptions().device(device));
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    synchronize(device);
    const auto start = std::chrono::steady_clock::now();
    const at::Tensor product = at::mm(a, a);
    synchronize(device);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(kSize * kSize * kSize) / seconds.count());
  }
  return best;
}

}  // namespace retort::host
