#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/framework/cli/program.hpp"

namespace retort::test {

/// The slow set looks at every operation and at a hundred moments; the default one at some.
inline bool slow() { return std::getenv("RETORT_SLOW_TESTS") != nullptr; }

/// Sets environment variables for the programs started in its life.
class Environment {
 public:
  explicit Environment(std::vector<std::pair<const char*, std::string>> values)
      : values_(std::move(values)) {
    for (const auto& [name, value] : values_) setenv(name, value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const auto& [name, value] : values_) unsetenv(name);
  }

 private:
  std::vector<std::pair<const char*, std::string>> values_;
};

/// What must be equal, byte for byte: the students and what was measured on the way.
inline std::string result_of(const std::filesystem::path& run) {
  std::set<std::filesystem::path> files = {run / "metrics.jsonl"};
  for (const auto& entry : std::filesystem::directory_iterator(run))
    if (entry.path().extension() == ".safetensors") files.insert(entry.path());
  std::string result;
  for (const auto& file : files) result += file.filename().string() + content_of(file);
  return result;
}

/// The result of the tiny experiment when nothing stops it.
inline const std::string& expected() {
  static const std::string result = [] {
    const Scratch scratch;
    const Finished run = retort({"run", tiny_experiment(scratch).string()});
    EXPECT_EQ(run.code, 0) << run.err;
    return result_of(scratch.path("runs/tiny/001"));
  }();
  return result;
}

/// The tiny experiment that was stopped below `scratch` goes on, and ends as if nothing had been.
inline void expect_resumes(const Scratch& scratch, const std::string& what) {
  const std::filesystem::path run = scratch.path("runs/tiny/001");
  if (!std::filesystem::exists(run / "experiment.toml")) return;  // nothing had begun
  const Finished resumed = retort({"run", "--resume", run.string()});
  ASSERT_EQ(resumed.code, 0) << what << ": " << resumed.err;
  EXPECT_TRUE(result_of(run) == expected()) << what << ": other bytes\n" << resumed.err;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run)) {
    EXPECT_NE(entry.path().extension(), ".tmp") << what << ": " << entry.path();
  }
}

}  // namespace retort::test
