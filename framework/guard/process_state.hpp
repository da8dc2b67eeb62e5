#pragma once

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>

#include <array>
#include <csignal>
#include <exception>
#include <locale>
#include <new>
#include <string>
#include <vector>

namespace retort::host {

/// What belongs to the whole process and a library can change: locales, working directory, file
/// mode mask, environment, limits, signal handlers and mask, interval timers, handlers of the C++
/// runtime; also puts back the open files of the host (host_files.hpp). Tens of us to take.
class ProcessState {
 public:
  /// As it is now.
  ProcessState();

  /// Puts back what differs now.
  /// Output:  what it was: "the working directory (to /tmp)", "what happens at SIGINT".
  /// Threads: one at a time, and none that needs what is changed back.
  std::vector<std::string> restore() const;

 private:
  void restore_locales(const ProcessState& now, std::vector<std::string>& changes) const;
  void restore_files(const ProcessState& now, std::vector<std::string>& changes) const;
  void restore_limits(const ProcessState& now, std::vector<std::string>& changes) const;
  void restore_environment(const ProcessState& now, std::vector<std::string>& changes) const;
  void restore_timers(const ProcessState& now, std::vector<std::string>& changes) const;
  void restore_signals(const ProcessState& now, std::vector<std::string>& changes) const;

  std::string locale_;
  std::locale stream_locale_;
  locale_t thread_locale_;
  std::string folder_;  // "" where it has no path
  mode_t mask_ = 0;
  std::array<rlimit, RLIM_NLIMITS> limits_ = {};  // by the resource's number
  std::vector<std::string> environment_;
  std::array<struct sigaction, 32> handlers_ = {};  // by the signal's number
  sigset_t blocked_ = {};
  std::array<itimerval, 3> timers_ = {};  // by the timer's number
  std::terminate_handler terminate_;
  std::new_handler out_of_memory_;
};

}  // namespace retort::host
