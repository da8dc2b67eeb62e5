#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

namespace retort::host {

/// Makes every end of this process that was not meant tell its plugin, function and step on stderr:
/// a signal of a crash (the process still dies by it), exit(), quick_exit(), std::terminate. Each
/// marks the run that is at work (CrashMark) as failed. A child of a fork is left alone.
void install_crash_handlers();

/// Whether what is told is a JSON object, as the log is.
void tell_crashes_as_json();

/// Makes a child of a fork the process that tells; what it told is noted there, for the parent.
void adopt_crash_handlers(std::atomic<bool>* told);

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

/// While it lives, a crash replaces a file as a whole: `before`, the reason as the inside of a JSON
/// string, `after`. One at a time.
class CrashMark {
 public:
  CrashMark(const std::filesystem::path& file, std::string before, std::string after);
  ~CrashMark();
  CrashMark(const CrashMark&) = delete;
  CrashMark& operator=(const CrashMark&) = delete;

  struct Content {
    std::string file, temporary, before, after;
  };

 private:
  std::unique_ptr<const Content> content_;
};

/// Says on stderr which plugin's function runs on this thread, if one does. For signal handlers.
void tell_running_call(const char* reason);

/// From here on the process may end: exit() is meant.
void expect_end();

/// Ends the process at once, and means it.
[[noreturn]] void end_process(int code);

/// What _exit() must end with. Tells where a plugin called it.
int code_of_exit(int code);

}  // namespace retort::host
