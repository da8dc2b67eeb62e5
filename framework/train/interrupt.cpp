#include "framework/train/interrupt.hpp"

#include <atomic>
#include <csignal>

#include "framework/guard/plugin_entry.hpp"

namespace retort::host {
namespace {

// Atomic: the kernel may run the handler on any thread, the loader's too.
std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a handler may not wait for a lock");

void on_signal(int number) {
  if (received.exchange(number) == 0) return;
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
