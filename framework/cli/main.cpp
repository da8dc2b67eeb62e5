#include <malloc.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <c10/util/Exception.h>

#include <csignal>
#include <cstdio>
#include <iostream>

#include "framework/cli/arguments.hpp"
#include "framework/error.hpp"

namespace retort::host {
namespace {

/// Keeps freed memory in the process: a training step frees and asks for the same blocks again, and
/// the kernel's page faults would cost a tenth of it.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

void log_to_stderr() {
  auto logger = spdlog::stderr_logger_mt("retort");
  logger->set_pattern("%l: %v");
  spdlog::set_default_logger(logger);
}

}  // namespace
}  // namespace retort::host

int main(int argc, char** argv) {
  using namespace retort::host;
  keep_memory();
  // A file that grows too large is an error to report, not a reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  log_to_stderr();
  try {
    return static_cast<int>(run_arguments(argc, argv));
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const c10::Error& error) {
    std::cerr << "LibTorch: " << error.what_without_backtrace() << "\n";
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
  }
  return static_cast<int>(ExitCode::RunFailed);
}
