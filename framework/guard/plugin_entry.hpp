#pragma once

#include <sys/types.h>

#include <memory>

#include "framework/guard/crash.hpp"
#include "framework/guard/floating_point.hpp"
#include "framework/guard/process_state.hpp"
#include "framework/guard/running.hpp"

namespace retort::host {

/// What is compared around a call: the floating-point state alone, which costs nothing, or the state of
/// the process too, which takes some 50 us.
enum class Watch { FloatingPoint, Process };

/// Stands around a call into a plugin: says what runs (RunningMark), and puts back what the plugin
/// leaves changed of the floating-point state and, with Watch::Process, of the process' state
/// (ProcessState). What is put back is warned of, once for a plugin and kind of state.
class PluginEntry {
 public:
  PluginEntry(const RunningCall& call, Watch watch);
  ~PluginEntry();
  PluginEntry(const PluginEntry&) = delete;
  PluginEntry& operator=(const PluginEntry&) = delete;

  /// For the host's functions that a plugin calls: gives this thread the floating-point state of
  /// before the call that runs on it, if it is another. An operator's threads have that one too.
  static void restore_floating_point();

 private:
  RunningMark mark_;
  PluginEntry* previous_;
  pid_t process_;  // a plugin that forks returns in two
  FloatingPoint floating_point_;
  std::unique_ptr<const ProcessState> state_;  // null with Watch::FloatingPoint
};

/// Takes the process' state as it is now for the right one.
void watch_process_state();

/// Compares the process' state with the right one, for calls that are not watched. What differs is
/// put back, with a warning that names the plugins called since the last comparison, if it was not told
/// of one or some of them before.
void compare_process_state();

/// On a thread of the host: a stack to tell of crashes, and the floating-point state that the program
/// started with.
class ThreadEntry {
 public:
  ThreadEntry();

 private:
  AlternateStack stack_;
};

}  // namespace retort::host
