#include <csignal>

#include "framework/base/error.hpp"
#include "framework/base/failure.hpp"
#include "framework/cli/arguments.hpp"
#include "framework/config/diagnostics.hpp"
#include "framework/guard/crash.hpp"
#include "framework/guard/host_files.hpp"
#include "framework/guard/last_words.hpp"
#include "framework/guard/own_output.hpp"
#include "framework/report/log.hpp"
#include "framework/run/machine.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RETORT_SANITIZED 1
#elif defined(__has_feature)
#define RETORT_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define RETORT_SANITIZED 0
#endif

namespace retort::host {
namespace {

/// Flushes what was printed and ends the process. The destructors of static objects are left out:
/// LibTorch's take a quarter of what a quick command takes, to free memory that the kernel takes
/// back anyway. Sanitizers report in one of them.
int leave(ExitCode code) {
  if (!finish_output()) {
    say_error(
        "standard output: not all of it could be written; check where it leads to, and the space "
        "there");
    code = ExitCode::Environment;
  }
  note_answer();
  if (!RETORT_SANITIZED) end_process(static_cast<int>(code));
  expect_end();
  return static_cast<int>(code);
}

ExitCode run_and_report(int argc, char** argv) {
  try {
    return run_arguments(argc, argv);
  } catch (const MistakesError& error) {
    say_error(error);
    return error.code();
  } catch (...) {
    const FailureReport failure = current_failure();
    say_error(failure.text);
    return failure.code;
  }
}

}  // namespace
}  // namespace retort::host

int main(int argc, char** argv) {
  using namespace retort::host;
  join_launcher();
  take_standard_output();
  keep_memory();
  // A file that grows too large is an error to report, not a reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // who ignores it gets no child's exit status
  install_crash_handlers();
  keep_standard_streams();
  log_to_stderr();
  return leave(run_and_report(argc, argv));
}
