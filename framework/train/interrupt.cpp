#include "framework/train/interrupt.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>

#include "framework/guard/monotonic.hpp"
#include "framework/guard/plugin_entry.hpp"

namespace retort::host {
namespace {

// Atomic: the kernel may run the handler on any thread, the loader's too.
std::atomic<int> received = 0;
std::atomic<int64_t> first_ms = 0;  // when
static_assert(std::atomic<int64_t>::is_always_lock_free, "a handler may not wait for a lock");

// Who stops a whole group of processes (timeout, a scheduler) reaches this one twice: by itself and
// through the launcher.
constexpr int64_t kSameWishMs = 300;

void on_signal(int number) {
  const int64_t now = monotonic_ms();
  int64_t first = 0;
  if (first_ms.compare_exchange_strong(first, now)) {
    received = number;
    return;
  }
  if (now - first < kSameWishMs) return;
  tell_running_call("stopped by a second signal");  // the likeliest place of a hang
  end_process(128 + number);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  watch_process_state();
}

int pending_signal() { return received; }

}  // namespace retort::host
