#include "framework/guard/plugin_entry.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "framework/guard/fixed_text.hpp"

namespace retort::host {
namespace {

thread_local PluginEntry* entry_here = nullptr;
const FloatingPoint start_state = floating_point();

struct RightState {
  std::mutex mutex;
  std::unique_ptr<const ProcessState> state;
};
RightState& right_state() {
  static RightState right;
  return right;
}

/// Whether it is the first warning of that key.
bool is_first(const std::string& key) {
  static std::mutex mutex;
  static std::set<std::string> seen;
  const std::lock_guard lock(mutex);
  return seen.insert(key).second;
}

std::string where_text(const RunningCall& call) {
  FixedText text;
  append_where(text, call);
  return text.c_str();
}

void warn_of_floating_point(const RunningCall& call, const std::string& change) {
  const std::string& name = call.plugin->name.text;
  if (!is_first(name + " floating point")) return;
  spdlog::warn(
      "{} changed the floating-point state in {} ({}); it was put back. Build it without "
      "-ffast-math, and leave rounding and flushing to the host",
      name, where_text(call), change);
}

void put_back_floating_point(const RunningCall& call, const FloatingPoint& before) {
  const FloatingPoint after = floating_point();
  if (after == before) return;
  set_floating_point(before);
  warn_of_floating_point(call, difference_between(before, after));
}

/// Ends a process that a plugin made by fork() and that came back to the host: it would go on with the
/// run beside the right one, in the same folder. Locks of other threads may be held, so it only writes.
[[noreturn]] void end_copy(const RunningCall& call) {
  FixedText text;
  text.append("warning: ").append(call.plugin->name.text.c_str()).append(" forked in ");
  append_where(text, call);
  text.append(
      "; the copy of the process was ended. A plugin starts other programs by posix_spawn\n");
  if (::write(STDERR_FILENO, text.c_str(), text.size()) < 0) {  // nobody is left to tell
  }
  end_process(1);
}

constexpr const char* kStateRemedy =
    "; it was put back. A plugin leaves the process as it finds it";

}  // namespace

PluginEntry::PluginEntry(const RunningCall& call, Watch watch)
    : mark_(call),
      previous_(std::exchange(entry_here, this)),
      process_(::getpid()),
      floating_point_(floating_point()),
      state_(watch == Watch::Process ? std::make_unique<const ProcessState>() : nullptr) {}

PluginEntry::~PluginEntry() {
  if (::getpid() != process_) end_copy(mark_.call());
  entry_here = previous_;
  put_back_floating_point(mark_.call(), floating_point_);
  if (!state_) return;
  const std::string changes = state_->restore();
  const std::string& name = mark_.call().plugin->name.text;
  if (!changes.empty() && is_first(name + " " + changes)) {
    spdlog::warn("{} changed {} in {}{}", name, changes, where_text(mark_.call()), kStateRemedy);
  }
}

void PluginEntry::restore_floating_point() {
  if (entry_here == nullptr) return;
  put_back_floating_point(entry_here->mark_.call(), entry_here->floating_point_);
}

void watch_process_state() {
  const std::lock_guard lock(right_state().mutex);
  right_state().state = std::make_unique<const ProcessState>();
  take_called_plugins();
}

void compare_process_state() {
  const std::lock_guard lock(right_state().mutex);
  if (!right_state().state) return;
  const std::string changes = right_state().state->restore();
  const std::string names = take_called_plugins();
  if (!changes.empty() && is_first(names + " " + changes)) {
    spdlog::warn("{} changed {}{}", names, changes, kStateRemedy);
  }
}

ThreadEntry::ThreadEntry() { set_floating_point(start_state); }

}  // namespace retort::host
