#include "framework/guard/plugin_entry.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "framework/guard/fixed_text.hpp"
#include "framework/guard/last_line.hpp"

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

using Plugins = std::vector<const PluginName*>;

/// Whether that kind of change is told of these plugins for the first time: it is known already where it
/// was told of one or some of them.
bool is_news(const std::string& kind, Plugins plugins) {
  static std::mutex mutex;
  static std::map<std::string, std::vector<Plugins>> told;
  std::sort(plugins.begin(), plugins.end(), std::less<>());
  const std::lock_guard lock(mutex);
  std::vector<Plugins>& before = told[kind];
  const bool known = std::any_of(before.begin(), before.end(), [&](const Plugins& some) {
    return some.empty() ? plugins.empty()
                        : std::includes(plugins.begin(), plugins.end(), some.begin(), some.end(),
                                        std::less<>());
  });
  if (!known) before.push_back(std::move(plugins));
  return !known;
}

/// The changes that are news, as a list. What a change is called ends before the value it leads to.
std::string news_of(const std::vector<std::string>& changes, const Plugins& plugins) {
  std::string list;
  for (const std::string& change : changes) {
    if (!is_news(change.substr(0, change.find(" (to ")), plugins)) continue;
    list += (list.empty() ? "" : ", ") + change;
  }
  return list;
}

/// "a", or "one of a, b".
std::string names_of(const Plugins& plugins) {
  if (plugins.empty()) return "something outside of plugins' calls";
  std::string list = plugins.size() > 1 ? "one of " : "";
  for (const PluginName* plugin : plugins)
    list += (plugin == plugins.front() ? "" : ", ") + plugin->name.text;
  return list;
}

std::string where_text(const RunningCall& call) {
  FixedText text;
  append_where(text, call);
  return text.c_str();
}

void warn_of_floating_point(const RunningCall& call, const std::string& change) {
  if (!is_news("the floating-point state", {call.plugin})) return;
  spdlog::warn(
      "{} changed the floating-point state in {} ({}); it was put back. Build it without "
      "-ffast-math, and leave rounding and flushing to the host",
      call.plugin->name.text, where_text(call), change);
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
  const SafeText& name = call.plugin->name;
  text.append((last_words().as_json ? name.json : name.text).c_str()).append(" forked in ");
  append_where(text, call);
  text.append("; the copy of the process was ended. A plugin starts other programs by posix_spawn");
  write_last_line(last_words(), "warning", text.c_str());
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
  const PluginName* plugin = mark_.call().plugin;
  const std::string news = news_of(state_->restore(), {plugin});
  if (news.empty()) return;
  spdlog::warn("{} changed {} in {}{}", plugin->name.text, news, where_text(mark_.call()),
               kStateRemedy);
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
  const std::vector<std::string> changes = right_state().state->restore();
  const Plugins called = take_called_plugins();
  const std::string news = news_of(changes, called);
  if (!news.empty()) spdlog::warn("{} changed {}{}", names_of(called), news, kStateRemedy);
}

ThreadEntry::ThreadEntry() { set_floating_point(start_state); }

}  // namespace retort::host
