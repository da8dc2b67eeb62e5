#include "framework/train/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <filesystem>
#include <thread>

#include "framework/error.hpp"

namespace retort::host {
namespace {

/// Opens libtorch_cuda, which registers CUDA with LibTorch. Returns why it cannot be used, or "".
std::string open_cuda() {
#if RETORT_TORCH_HAS_CUDA
  // The library takes a second to open: not where the driver is absent.
  if (!std::filesystem::exists("/dev/nvidiactl"))
    return "this machine has no NVIDIA driver (/dev/nvidiactl)";
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) return dlerror();
  if (!at::hasCUDA() || at::detail::getCUDAHooks().getNumGPUs() == 0)
    return "LibTorch finds no GPU";
  return "";
#else
  return "this program is built with a LibTorch for the CPU (" RETORT_TORCH_VERSION ")";
#endif
}

}  // namespace

at::Device choose_device(DeviceChoice choice) {
  if (choice == DeviceChoice::Cpu) return at::kCPU;
  const std::string problem = open_cuda();
  if (problem.empty()) return at::Device(at::kCUDA, 0);
  if (choice == DeviceChoice::Cuda) {
    throw EnvironmentError("run.device = \"cuda\": " + problem +
                           "; use device = \"cpu\", or \"auto\"");
  }
  return at::kCPU;
}

void synchronize(at::Device device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
}

int64_t use_threads(int64_t threads) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  at::set_num_threads(static_cast<int>(threads));
  return threads;
}

std::string device_text(at::Device device, int64_t threads) {
  return device.str() + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

}  // namespace retort::host
