#include "framework/train/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "framework/base/error.hpp"

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

void choose_algorithms(at::Device device, bool deterministic) {
  if (!device.is_cuda()) return;
  at::Context& context = at::globalContext();
  // cuBLAS reads it once, when its first handle is made.
  if (deterministic) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  context.setDeterministicCuDNN(deterministic);
  context.setBenchmarkCuDNN(!deterministic);
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
  // Nothing here reads memory before it is written, and filling it would cost a kernel each time.
  context.setDeterministicFillUninitializedMemory(false);
}

std::string operator_without_deterministic_algorithm(const std::exception& failure) {
  const std::string message = failure.what();
  const size_t end = message.find(" does not have a deterministic implementation");
  if (end == std::string::npos) return "";
  const size_t before = message.find_last_of(" \n", end - 1);
  const size_t start = before == std::string::npos ? 0 : before + 1;
  return message.substr(start, end - start);
}

void synchronize(at::Device device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
}

int64_t use_threads(int64_t threads) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  at::set_num_threads(static_cast<int>(threads));
  return threads;
}

std::string device_name(at::Device device) {
  if (!device.is_cuda()) return device.str();
  // The driver itself is asked: LibTorch tells the name only to those who include CUDA's headers.
  using DeviceGet = int (*)(int*, int);
  using DeviceGetName = int (*)(char*, int, int);
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  if (driver == nullptr) return device.str();
  const auto device_get = reinterpret_cast<DeviceGet>(dlsym(driver, "cuDeviceGet"));
  const auto device_get_name = reinterpret_cast<DeviceGetName>(dlsym(driver, "cuDeviceGetName"));
  std::array<char, 256> name{};
  int handle = 0;
  const bool known = device_get != nullptr && device_get_name != nullptr &&
                     device_get(&handle, device.index()) == 0 &&
                     device_get_name(name.data(), static_cast<int>(name.size()), handle) == 0;
  dlclose(driver);
  return known ? device.str() + " (" + name.data() + ")" : device.str();
}

double peak_gpu_memory_mib(at::Device device) {
  if (!device.is_cuda()) return 0;
  const c10::CachingDeviceAllocator::DeviceStats stats =
      at::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  return static_cast<double>(stats.allocated_bytes[0].peak) / (1 << 20);  // [0]: all pools together
}

std::string device_text(at::Device device, int64_t threads) {
  return device_name(device) + ", " + std::to_string(threads) +
         (threads == 1 ? " thread" : " threads");
}

}  // namespace retort::host
