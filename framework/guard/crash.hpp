#pragma once

#include <memory>

namespace retort::host {

/// Makes every end of this process that was not meant tell its plugin, function and step on stderr:
/// a signal of a crash (the process still dies by it), exit(), quick_exit(), std::terminate. Each
/// marks the run that is at work (CrashMark) as failed. A child of a fork is left alone. What ends the
/// process unseen (_exit(), exec(), SIGKILL) is told by the launcher.
void install_crash_handlers();

/// Whether what is told is a JSON object, as the log is.
void tell_crashes_as_json();

/// A stack on which this thread's handlers run, so that an overflow of its own can be told.
class AlternateStack {
 public:
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  std::unique_ptr<char[]> memory_;
};

/// Says on stderr which plugin's function runs on this thread, if one does. For signal handlers.
void tell_running_call(const char* reason);

/// From here on the process may end: exit() is meant.
void expect_end();

/// Ends the process at once, and means it: its code is an answer.
[[noreturn]] void end_process(int code);

}  // namespace retort::host
