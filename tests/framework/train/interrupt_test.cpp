#include "framework/train/interrupt.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace retort::host {
namespace {

using namespace std::chrono_literals;

/// Each in a child process, since a signal that has arrived stays pending; in a new one, since a fork
/// of LibTorch's threads hangs under TSan.
class Interrupt : public testing::Test {
 protected:
  Interrupt() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

[[noreturn]] void receive_on_another_thread() {
  install_signal_handlers();
  std::thread other([] { raise(SIGTERM); });
  while (pending_signal() == 0) std::this_thread::yield();
  other.join();
  std::_Exit(pending_signal());
}

[[noreturn]] void receive_two(std::chrono::milliseconds apart) {
  install_signal_handlers();
  raise(SIGTERM);
  std::this_thread::sleep_for(apart);
  raise(SIGINT);
  std::_Exit(0);
}

/// Under TSan also: without a data race.
TEST_F(Interrupt, IsSeenWhicheverThreadReceivesIt) {
  EXPECT_EXIT(receive_on_another_thread(), testing::ExitedWithCode(SIGTERM), "");
}

TEST_F(Interrupt, EndsTheProcessAtTheSecondSignal) {
  EXPECT_EXIT(receive_two(400ms), testing::ExitedWithCode(128 + SIGINT), "");
}

/// As from `timeout`, which signals the process and its group.
TEST_F(Interrupt, TakesTwoSignalsAtOnceForOneWish) {
  EXPECT_EXIT(receive_two(0ms), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace retort::host
