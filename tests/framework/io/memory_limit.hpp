#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace retort::test {

/// Limits what the whole process may map beyond what it has, while it lives: a reader that reserves
/// what a header claims then fails with std::bad_alloc, or cannot map.
class MemoryLimit {
 public:
  explicit MemoryLimit(size_t more) {
    getrlimit(RLIMIT_AS, &before_);
    size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const size_t mapped = pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
    if (mapped > kSanitized) return;
    rlimit limit = before_;
    limit.rlim_cur = mapped + more;
    EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  }
  MemoryLimit(const MemoryLimit&) = delete;
  ~MemoryLimit() { setrlimit(RLIMIT_AS, &before_); }

 private:
  static constexpr size_t kSanitized = size_t{1} << 40;  // AddressSanitizer's shadow alone is more
  rlimit before_{};
};

}  // namespace retort::test
