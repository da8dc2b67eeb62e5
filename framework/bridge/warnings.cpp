#include "framework/bridge/warnings.hpp"

#include <spdlog/spdlog.h>

#include <map>
#include <mutex>
#include <set>

#include "framework/base/text.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {
namespace {

constexpr int64_t kMostWarnings = 20;  // of an instance

struct Told {
  std::mutex mutex;
  std::set<std::string> warnings;
  std::map<std::string, int64_t> counts;  // of each instance
};

Told& told() {
  static Told everything;
  return everything;
}

/// "logits.mine 0.2.0 (plugins/mine.retort)", or the instance where a test has no component.
std::string component_text(const Scope& scope) {
  if (scope.component == nullptr) return scope.instance;
  const ComponentInfo& info = *scope.component;
  return info.id + " " + info.version + " (" + info.file.string() + ")";
}

}  // namespace

void tell_warning(Scope& running, const std::string& text) {
  const bool empty = text.find_first_not_of(" \t\r\n") == std::string::npos;
  const std::string warning =
      running.instance + ": " +
      (empty ? component_text(running) + " gives an empty warning in " +
                   function_name(running.function) + "(); give it words, or leave it out"
             : safe_quote(text));
  {
    const std::lock_guard lock(told().mutex);
    if (!told().warnings.insert(warning).second) return;
    if (++told().counts[running.instance] > kMostWarnings) {
      ++running.warnings_left_out;
      return;
    }
  }
  spdlog::warn("{}", warning);
}

void tell_left_out_warnings(Scope& scope) {
  spdlog::warn("{}: {} gives {} more warnings in {}(); only the first {} are shown", scope.instance,
               component_text(scope), grouped(scope.warnings_left_out),
               function_name(scope.function), kMostWarnings);
  scope.warnings_left_out = 0;
}

void forget_told_warnings() {
  const std::lock_guard lock(told().mutex);
  told().warnings.clear();
  told().counts.clear();
}

}  // namespace retort::host
