#include "framework/bridge/warnings.hpp"

#include <spdlog/spdlog.h>

#include <mutex>
#include <set>

#include "framework/safe_text.hpp"

namespace retort::host {
namespace {

struct Told {
  std::mutex mutex;
  std::set<std::string> warnings;
};

Told& told() {
  static Told everything;
  return everything;
}

}  // namespace

void tell_warning(const Scope& running, const std::string& text) {
  const std::string warning = running.instance + ": " + safe_quote(text);
  {
    const std::lock_guard lock(told().mutex);
    if (!told().warnings.insert(warning).second) return;
  }
  spdlog::warn("{}", warning);
}

void forget_told_warnings() {
  const std::lock_guard lock(told().mutex);
  told().warnings.clear();
}

}  // namespace retort::host
