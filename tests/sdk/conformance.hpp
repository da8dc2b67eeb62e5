#pragma once

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cctype>
#include <ostream>
#include <string>
#include <vector>

#include "framework/plugin/catalog.hpp"
#include "tests/plugins/components.hpp"

namespace retort::host {

/// How GoogleTest shows a component.
inline void PrintTo(const ComponentInfo& info, std::ostream* out) {
  *out << info.id << " of " << info.file;
}

}  // namespace retort::host

namespace retort::test {

/// The built components of one kind, for INSTANTIATE_TEST_SUITE_P.
inline std::vector<host::ComponentInfo> built(retort_kind kind) {
  std::vector<host::ComponentInfo> found;
  for (const host::ComponentInfo& info : built_plugins().components())
    if (info.kind == kind) found.push_back(info);
  return found;
}

/// "logits_kd" for logits.kd: GoogleTest takes no dots.
inline std::string name_of(const testing::TestParamInfo<host::ComponentInfo>& info) {
  std::string name = info.param.id;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

/// Bytes that this process holds of the heap.
inline int64_t bytes_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

}  // namespace retort::test
