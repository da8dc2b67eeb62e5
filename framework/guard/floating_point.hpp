#pragma once

#include <cstdint>
#include <string>

#if defined(__SSE2__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace retort::host {

/// How this thread's processor computes with floating-point numbers: rounding, flushing of tiny
/// numbers to zero, precision, traps. Not the flags that operations raise.
struct FloatingPoint {
  uint64_t vector = 0;  // MXCSR or FPCR; elsewhere the rounding mode
  uint16_t x87 = 0;
  bool operator==(const FloatingPoint&) const = default;
};

/// Costs some nanoseconds.
inline FloatingPoint floating_point() {
  FloatingPoint state;
#if defined(__SSE2__)
  constexpr uint64_t kRaisedFlags = 0x3f;
  state.vector = _mm_getcsr() & ~kRaisedFlags;
  asm volatile("fnstcw %0" : "=m"(state.x87));
#elif defined(__aarch64__)
  asm volatile("mrs %0, fpcr" : "=r"(state.vector));
#else
  state.vector = static_cast<uint64_t>(std::fegetround());
#endif
  return state;
}

void set_floating_point(const FloatingPoint& state);

/// "flush to zero, rounding": what differs between two states.
std::string difference_between(const FloatingPoint& before, const FloatingPoint& after);

}  // namespace retort::host
