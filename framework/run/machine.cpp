#include "framework/run/machine.hpp"

#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "framework/train/device.hpp"

namespace retort::host {

void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

double peak_memory_mib() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double process_seconds() {
  // Field 22 of stat, counted after the command's closing parenthesis: start in clock ticks since
  // the machine's start.
  std::ifstream stat("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  fields >> ticks;
  struct timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 -
         ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
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
