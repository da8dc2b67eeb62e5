#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "framework/cli/arguments.hpp"
#include "framework/config/diagnostics.hpp"
#include "framework/failure.hpp"
#include "framework/report/log.hpp"
#include "framework/run/machine.hpp"

namespace retort::host {
namespace {

void log_to_stderr() {
  auto logger = spdlog::stderr_logger_mt("retort");
  logger->set_pattern("%l: %v");
  spdlog::set_default_logger(logger);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

/// Flushes what was printed and ends the process. The destructors of static objects are left out:
/// LibTorch's take a quarter of what a quick command takes, to free memory that the kernel takes
/// back anyway. Sanitizers report in one of them.
int leave(ExitCode code) {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    say_error(
        "standard output: not all of it could be written; check where it leads to, and the space "
        "there");
    code = ExitCode::Environment;
  }
  if (!kSanitized) _exit(static_cast<int>(code));
  return static_cast<int>(code);
}

ExitCode run_and_report(int argc, char** argv) {
  try {
    return run_arguments(argc, argv);
  } catch (const MistakesError& error) {
    say_error(error);
    return error.code();
  } catch (const std::exception& error) {
    const FailureReport failure = describe_failure(error);
    say_error(failure.text);
    return failure.code;
  }
}

}  // namespace
}  // namespace retort::host

int main(int argc, char** argv) {
  using namespace retort::host;
  keep_memory();
  // A file that grows too large is an error to report, not a reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  log_to_stderr();
  return leave(run_and_report(argc, argv));
}
