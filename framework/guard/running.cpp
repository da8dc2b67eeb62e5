#include "framework/guard/running.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "framework/guard/fixed_text.hpp"
#include "framework/guard/last_words.hpp"
#include "framework/io/json_text.hpp"

namespace retort::host {
namespace {

thread_local const RunningCall* running_here = nullptr;

struct Latest {
  std::atomic<const PluginName*> plugin = nullptr;
  std::atomic<const char*> function = "";
  std::atomic<int64_t> step = -1;
  std::atomic<bool> running = false;
};
Latest latest;

char activity_text[64] = "";

struct Names {
  std::mutex mutex;
  std::map<std::string, PluginName> known;
};
/// Never destroyed: a signal handler may still read it.
Names& names() {
  static auto* all = new Names;
  return *all;
}

void publish(const RunningCall& call, bool running) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  latest.plugin.store(call.plugin, kRelaxed);
  latest.function.store(call.function, kRelaxed);
  latest.step.store(call.step, kRelaxed);
  latest.running.store(running, kRelaxed);
  LastWords& words = last_words();
  words.call_runs.store(running, kRelaxed);
  words.calls.fetch_add(1, kRelaxed);
  FixedText text;
  text.append(call.plugin->name.text.c_str()).append(running ? " in " : ", after ");
  append_where(text, call);
  const size_t length = std::min(text.size(), sizeof words.call - 1);
  std::memcpy(words.call, text.c_str(), length);
  words.call[length] = '\0';
}

}  // namespace

SafeText make_safe(const std::string& text) {
  constexpr size_t kLongest = 500;  // of bytes: it must fit a FixedText, however it is escaped
  SafeText safe;
  safe.text = safe_line(cut_text(text, kLongest));
  if (text.size() > kLongest) safe.text += "...";
  const std::string quoted = json_text(nlohmann::json(safe.text));
  safe.json = quoted.substr(1, quoted.size() - 2);
  return safe;
}

const PluginName& plugin_name(const std::string& text) {
  const std::lock_guard lock(names().mutex);
  const auto [entry, is_new] = names().known.try_emplace(text);
  if (is_new) entry->second.name = make_safe(text);
  return entry->second;
}

std::vector<const PluginName*> take_called_plugins() {
  const std::lock_guard lock(names().mutex);
  std::vector<const PluginName*> called;
  for (const auto& [text, name] : names().known) {
    if (name.was_called.exchange(false)) called.push_back(&name);
  }
  return called;
}

RunningMark::RunningMark(const RunningCall& call) : call_(call), previous_(running_here) {
  running_here = &call_;
  call_.plugin->was_called.store(true, std::memory_order_relaxed);
  publish(call_, true);
}

RunningMark::~RunningMark() {
  running_here = previous_;
  if (previous_ != nullptr) {
    publish(*previous_, true);
  } else {
    publish(call_, false);
  }
}

const RunningCall* running_call() { return running_here; }

LatestCall latest_call() {
  LatestCall found;
  found.call.plugin = latest.plugin;
  found.call.function = latest.function;
  found.call.step = latest.step;
  found.running = latest.running;
  return found;
}

void set_activity(const std::string& text) {
  const size_t length = std::min(text.size(), sizeof activity_text - 1);
  activity_text[length] = '\0';
  std::memcpy(activity_text, text.data(), length);
}

const char* activity() { return activity_text; }

}  // namespace retort::host
