// The experiment files of the repository and the one in README.md are accepted.
#include <gtest/gtest.h>

#include <fstream>
#include <iomanip>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "tests/framework/cli/program.hpp"
#include "tests/plugins/components.hpp"

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

/// The overrides that a file's comment shows, on lines that begin with "#   ".
std::vector<std::string> shown_overrides(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> overrides;
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with("#   ")) continue;
    std::istringstream words(line.substr(1));
    for (std::string word; words >> std::quoted(word, '\'');) overrides.push_back(word);
  }
  return overrides;
}

/// Checks a pair with all its shapes on a few synthetic images in the place of CIFAR-100.
Finished check_pair(const fs::path& file, const std::vector<std::string>& overrides) {
  std::vector<std::string> arguments = {
      "check",        file.string(), "data.dataset=synthetic", "data.channels=3",  "data.size=32",
      "data.train=4", "data.test=4", "data.classes=100",       "data.batch_size=2"};
  arguments.insert(arguments.end(), overrides.begin(), overrides.end());
  return retort(arguments);
}

TEST(Experiments, OfCifar100TakeAStepAlsoWithTheMethodTheyShow) {
  const Scratch scratch;
  const fs::path weights = scratch.put("weights.safetensors", "only its presence is looked at");
  int count = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(RETORT_SOURCE_DIR) / "experiments/cifar100")) {
    if (entry.path().filename() == "base.toml") continue;
    ++count;
    SCOPED_TRACE(entry.path());
    EXPECT_EQ(dry_run(entry.path(), weights).code, 0);
    for (const auto& overrides : {std::vector<std::string>(), shown_overrides(entry.path())}) {
      const Finished check = check_pair(entry.path(), overrides);
      EXPECT_EQ(check.code, 0) << check.err;
    }
    EXPECT_GE(shown_overrides(entry.path()).size(), 3u);
  }
  EXPECT_EQ(count, 13);
}

/// Every built strategy has an experiment with its published weights, and each of them takes a step.
TEST(Experiments, OfEachMethodTakeAStep) {
  std::set<std::string> used;
  for (const auto& entry :
       fs::directory_iterator(fs::path(RETORT_SOURCE_DIR) / "experiments/methods")) {
    const Finished check =
        retort({"--json", "check", entry.path().string(), "data.dataset=synthetic", "data.size=28",
                "data.train=16", "data.test=4", "data.train_samples=0", "data.batch_size=8"});
    ASSERT_EQ(check.code, 0) << entry.path() << "\n" << check.err;
    EXPECT_EQ(check.err, "") << entry.path();
    const nlohmann::json facts = nlohmann::json::parse(check.out);
    for (const auto& transfer : facts["transfers"])
      used.insert(transfer["name"].get<std::string>());
  }
  for (const host::ComponentInfo& info : built_plugins().components()) {
    if (info.kind != RETORT_KIND_STRATEGY) continue;
    EXPECT_EQ(used.count(info.id), 1u) << info.id << " is in no file of experiments/methods";
  }
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
