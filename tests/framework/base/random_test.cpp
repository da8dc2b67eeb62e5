#include "framework/base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using host::Philox;
using Words = std::array<uint32_t, 4>;

// Random123's kat_vectors, philox4x32 10.
TEST(Philox, GivesTheKnownAnswerForZeros) {
  EXPECT_EQ(Philox(0).block(0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}
TEST(Philox, GivesTheKnownAnswerForOnes) {
  EXPECT_EQ(Philox(~0ull).block(~0ull, ~0ull),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}
TEST(Philox, GivesTheKnownAnswerForTheDigitsOfPi) {
  EXPECT_EQ(Philox(0x299f31d0a4093822).block(0x85a308d3243f6a88, 0x0370734413198a2e),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, KeepsUniformNumbersBelowTheUpperBound) {
  std::vector<float> numbers(100000);
  Philox(7).uniform(numbers.data(), static_cast<int64_t>(numbers.size()), 0, 1e-40);
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  EXPECT_GE(*least, 0);
  EXPECT_LT(*most, 1e-40f);
}

TEST(Philox, PermutesEveryNumberOnce) {
  std::vector<int64_t> order(1000), sorted(1000);
  Philox(7).permutation(order.data(), 1000);
  std::iota(sorted.begin(), sorted.end(), 0);
  EXPECT_NE(order, sorted);
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, sorted);
}

TEST(Philox, StartsAPermutationWithEveryNumberAlikeOften) {
  constexpr int kRounds = 4000, kCount = 5;
  std::array<int, kCount> first{};
  for (uint64_t key = 0; key < kRounds; ++key) {
    std::array<int64_t, kCount> order{};
    Philox(host::combine_key(key, "order")).permutation(order.data(), kCount);
    ++first[static_cast<size_t>(order[0])];
  }
  const double expected = kRounds / static_cast<double>(kCount);
  for (const int count : first) {
    EXPECT_NEAR(count, expected, kStandardErrors * std::sqrt(expected));
  }
}

TEST(CombineKey, TellsPurposeNumberAndSeedApart) {
  const uint64_t key = host::combine_key(1, "augment", 2);
  EXPECT_EQ(key, host::combine_key(1, "augment", 2));
  EXPECT_NE(key, host::combine_key(1, "order", 2));
  EXPECT_NE(key, host::combine_key(1, "augment", 3));
  EXPECT_NE(key, host::combine_key(2, "augment", 2));
}

}  // namespace
}  // namespace retort::test
