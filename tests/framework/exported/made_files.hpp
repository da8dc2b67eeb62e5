#pragma once

#include <filesystem>
#include <string>

namespace retort::test {

inline constexpr const char* kNoMadeFiles =
    "no exported files: ctest -R exported_files makes them, with the Python of this LibTorch";

/// A file that tests/exported/make_reference.py wrote.
inline std::filesystem::path made_file(const std::string& name) {
  return std::filesystem::path(RETORT_EXPORTED_DIR) / name;
}

/// Whether they were made: only where LibTorch came with its Python.
inline bool has_made_files() { return std::filesystem::exists(made_file("whole")); }

}  // namespace retort::test
