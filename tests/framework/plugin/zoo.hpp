#pragma once

#include <gtest/gtest.h>

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::host {

/// A plugin of tests/broken_plugins.
inline std::filesystem::path zoo(const std::string& name) {
  return std::filesystem::path(RETORT_ZOO_DIR) / (name + ".retort");
}

inline std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// The message of the Error that `action` throws; empty where it throws none.
template <class Action>
std::string refusal(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// Overwrites a value inside a file's bytes.
template <class Value>
void put(std::string& bytes, size_t offset, const Value& value) {
  ASSERT_LE(offset + sizeof value, bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

}  // namespace retort::host
