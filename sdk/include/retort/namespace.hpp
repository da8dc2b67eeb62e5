#pragma once

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
