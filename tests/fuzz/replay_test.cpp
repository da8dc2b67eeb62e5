// The inputs of the fuzz targets that are worth keeping, without libFuzzer: the corpus, every prefix
// of a valid file, and every byte flipped.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/framework/io/memory_limit.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/fuzz/targets.hpp"

namespace retort::fuzz {
namespace {

using test::MemoryLimit;

const std::filesystem::path kCorpus =
    std::filesystem::path(RETORT_SOURCE_DIR) / "tests/fuzz/corpus";

struct Target {
  const char* name;
  bool (*accepts)(Bytes);
  size_t ends;    // of how many bytes at both ends of a seed every prefix and flip is tried
  size_t memory;  // that may be mapped: the files it reads beside the input, and a constant
};

void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

bool accepts(const Target& target, const std::string& bytes) {
  return target.accepts({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

constexpr size_t kConstant = size_t{32} << 20;  // a block of the inflater, and the heap's own steps
constexpr size_t kCifar = size_t{6} * 10000 * 3073;

/// The valid inputs of a target; those of the manifest are plugins that the build made.
std::vector<std::string> seeds(const Target& target) {
  if (std::string(target.name) == "manifest") {
    return {test::content_of(std::filesystem::path(RETORT_ZOO_DIR) / "good.retort")};
  }
  std::vector<std::string> result;
  for (const auto& entry : std::filesystem::directory_iterator(kCorpus / target.name)) {
    if (entry.path().filename().string().starts_with("valid")) {
      result.push_back(test::content_of(entry.path()));
    }
  }
  return result;
}

/// The positions in a text of `size` bytes that are tried: all, or those near its ends.
std::vector<size_t> positions(const Target& target, size_t size) {
  std::vector<size_t> result;
  for (size_t at = 0; at < size; ++at) {
    const bool near_an_end = at < target.ends || size - at <= target.ends;
    if (near_an_end || at % 61 == 0) result.push_back(at);
  }
  return result;
}

/// Where memory is limited, a seed goes first: what a target keeps for all inputs is made then.
class Replay : public testing::TestWithParam<Target> {};

TEST_P(Replay, AcceptsTheSeeds) {
  const std::vector<std::string> all = seeds(GetParam());
  EXPECT_FALSE(all.empty());
  for (const std::string& seed : all) EXPECT_TRUE(accepts(GetParam(), seed));
}

TEST_P(Replay, SurvivesTheCorpusInBoundedMemory) {
  for (const std::string& seed : seeds(GetParam())) accepts(GetParam(), seed);
  const MemoryLimit limit(GetParam().memory);
  for (const auto& entry : std::filesystem::directory_iterator(kCorpus / GetParam().name)) {
    SCOPED_TRACE(entry.path());
    const bool accepted = accepts(GetParam(), test::content_of(entry.path()));
    EXPECT_EQ(accepted, entry.path().filename().string().starts_with("valid"));
  }
}

TEST_P(Replay, SurvivesEveryPrefixInBoundedMemory) {
  for (const std::string& seed : seeds(GetParam())) {
    accepts(GetParam(), seed);
    const MemoryLimit limit(GetParam().memory);
    size_t refused = 0;
    for (const size_t size : positions(GetParam(), seed.size())) {
      EXPECT_NO_THROW(refused += accepts(GetParam(), seed.substr(0, size)) ? 0 : 1) << size;
    }
    EXPECT_GT(refused, 0U);
  }
}

TEST_P(Replay, SurvivesEveryFlippedByteInBoundedMemory) {
  for (const std::string& seed : seeds(GetParam())) {
    accepts(GetParam(), seed);
    const MemoryLimit limit(GetParam().memory);
    size_t refused = 0;
    for (const size_t at : positions(GetParam(), seed.size())) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        std::string bytes = seed;
        bytes[at] = static_cast<char>(bytes[at] ^ flip);
        EXPECT_NO_THROW(refused += accepts(GetParam(), bytes) ? 0 : 1) << at;
      }
    }
    EXPECT_GT(refused, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Replay,
                         testing::Values(Target{"toml", toml, 4096, kConstant},
                                         Target{"safetensors", safetensors, 4096, kConstant},
                                         Target{"pt2", pt2, 4096, kConstant},
                                         Target{"idx", idx, 4096, kConstant},
                                         Target{"cifar", cifar, 4096, kCifar + kConstant},
                                         Target{"run_record", run_record, 4096, kConstant},
                                         Target{"manifest", manifest, 300, kConstant}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace retort::fuzz
