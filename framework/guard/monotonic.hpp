#pragma once

#include <cstdint>
#include <ctime>

namespace retort::host {

/// Milliseconds of a clock that nobody sets. For signal handlers too.
inline int64_t monotonic_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

}  // namespace retort::host
