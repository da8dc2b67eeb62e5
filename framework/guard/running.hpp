#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace retort::host {

/// A text that is safe to show, in one line, and how it stands in a JSON string.
struct SafeText {
  std::string text;
  std::string json;
};
SafeText make_safe(const std::string& text);

/// How a component of a plugin is named in messages: "logits.mine 0.2.0 (plugins/mine.retort)".
/// Lives as long as the process, so that a signal handler may read it.
struct PluginName {
  SafeText name;
  mutable std::atomic<bool> was_called = false;  // since somebody set it to false
};

/// The PluginName of a text, the same one for equal texts. Threads: any.
const PluginName& plugin_name(const std::string& text);

/// Those with was_called, which becomes false, by the order of their texts. Threads: any.
std::vector<const PluginName*> take_called_plugins();

/// A call into a plugin. The texts of `function` live as long as the process.
struct RunningCall {
  const PluginName* plugin = nullptr;
  const char* function = "";     // "loss()"
  const char* detail = nullptr;  // "scale" in "set_option(), scale"
  int64_t step = -1;             // 0 or more where there is one
};

/// Marks a call into a plugin as running on this thread, while it lives.
class RunningMark {
 public:
  explicit RunningMark(const RunningCall& call);
  ~RunningMark();
  RunningMark(const RunningMark&) = delete;
  RunningMark& operator=(const RunningMark&) = delete;

  const RunningCall& call() const { return call_; }

 private:
  RunningCall call_;
  const RunningCall* previous_;
};

// For signal handlers: these neither lock nor allocate.

/// The call that runs on this thread, or null.
const RunningCall* running_call();

/// The call that the process made last, on whatever thread; its plugin is null before the first.
struct LatestCall {
  RunningCall call;
  bool running = false;
};
LatestCall latest_call();

/// What the program is doing outside of plugins: "phase distil". Empty where nobody said.
void set_activity(const std::string& text);
const char* activity();

}  // namespace retort::host
