#pragma once

#if __cplusplus < 201703L
#error "Retort's SDK needs C++17 or newer: compile with g++ @sdk/plugin.flags, or -std=c++17"
#endif
#if !defined(__cpp_exceptions)
#error "Retort's SDK throws exceptions: compile without -fno-exceptions (g++ @sdk/plugin.flags)"
#endif

// Everything of the SDK lives in a hidden inline namespace that carries its version. Two plugins
// built with different SDKs then share no inline function, no inline variable and no static,
// although one process loads both.
#define RETORT_BEGIN_NAMESPACE                             \
  namespace retort __attribute__((visibility("hidden"))) { \
    inline namespace v0 {
#define RETORT_END_NAMESPACE \
  }                          \
  }

// For functions that run once or when something fails: small code, and compiled in less time.
#define RETORT_COLD __attribute__((noinline, cold))
