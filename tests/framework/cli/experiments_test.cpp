// The experiment files of the repository and the one in README.md are accepted.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;

/// Checks a file against what is installed, without its data. Weights that the user must bring are
/// stood in for.
Finished dry_run(const fs::path& file, const fs::path& weights) {
  return retort({"run", "--dry-run", file.string(), "teacher.weights='" + weights.string() + "'"});
}

TEST(Experiments, OfTheRepositoryAreAccepted) {
  const Scratch scratch;
  const fs::path weights = scratch.put("weights.safetensors", "only its presence is looked at");
  int count = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(RETORT_SOURCE_DIR) / "experiments")) {
    if (entry.path().extension() != ".toml") continue;
    ++count;
    const Finished run = dry_run(entry.path(), weights);
    EXPECT_EQ(run.code, 0) << entry.path() << "\n" << run.err;
  }
  EXPECT_GE(count, 3);
}

TEST(Experiments, InTheReadmeIsAccepted) {
  std::ifstream readme(fs::path(RETORT_SOURCE_DIR) / "README.md");
  std::string text((std::istreambuf_iterator<char>(readme)), {});
  const std::string fence = "```toml\n";
  const size_t begin = text.find(fence);
  ASSERT_NE(begin, std::string::npos);
  std::string block = text.substr(begin + fence.size());
  block.resize(block.find("```"));
  const size_t extends = block.find("extends");
  block.erase(extends, block.find('\n', extends) - extends);  // names a file that is not there

  const Scratch scratch;
  const Finished run = retort({"run", "--dry-run", scratch.put("readme.toml", block).string()});
  EXPECT_EQ(run.code, 0) << run.err;
}

}  // namespace
}  // namespace retort::test
