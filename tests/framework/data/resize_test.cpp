#include "framework/data/resize.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "framework/io/hash.hpp"

namespace retort::test {
namespace {

struct Shape {
  int64_t channels, from_height, from_width, height, width;
};

/// Bytes that a program in another language makes alike.
std::vector<uint8_t> make_pattern(int64_t count) {
  std::vector<uint8_t> bytes;
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = (state * 1103515245u + 12345u) & 0x7FFFFFFFu;
    bytes.push_back(static_cast<uint8_t>(state >> 16));
  }
  return bytes;
}

std::vector<uint8_t> resize_pattern(const Shape& shape) {
  const auto image = make_pattern(shape.channels * shape.from_height * shape.from_width);
  std::vector<uint8_t> out(static_cast<size_t>(shape.channels * shape.height * shape.width));
  host::Resizer::Scratch scratch;
  host::Resizer(shape.from_height, shape.from_width, shape.height, shape.width)
      .resize(image.data(), shape.channels, scratch, out.data());
  return out;
}

// What PIL.Image.resize((width, height), BILINEAR) of Pillow 12.0.0 makes of the pattern, in modes
// L and RGB.

TEST(Resize, GivesPillowsBytes) {
  using testing::ElementsAre;
  EXPECT_THAT(resize_pattern({1, 5, 7, 3, 4}),
              ElementsAre(170, 155, 151, 165, 153, 104, 136, 121, 116, 77, 140, 80));
  EXPECT_THAT(resize_pattern({1, 3, 2, 5, 5}),
              ElementsAre(198, 191, 162, 133, 126, 170, 165, 144, 123, 118, 129, 127, 118, 109, 107,
                          97, 107, 145, 183, 193, 75, 93, 163, 233, 251));
  EXPECT_THAT(resize_pattern({3, 2, 3, 3, 2}),
              ElementsAre(171, 128, 133, 157, 95, 185, 235, 147, 230, 179, 225, 210, 88, 151, 87,
                          136, 85, 120));
}

struct Hashed {
  Shape shape;
  const char* hash;  // XXH3-128 of the bytes, a plane after the other
};
class ResizeHash : public testing::TestWithParam<Hashed> {};

TEST_P(ResizeHash, IsThatOfPillowsBytes) {
  EXPECT_EQ(host::xxh3_128_hex(resize_pattern(GetParam().shape)), GetParam().hash);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, ResizeHash,
    testing::Values(Hashed{{1, 28, 28, 32, 32}, "7059799290b8e432b6960ac8e35385d4"},
                    Hashed{{3, 32, 32, 224, 224}, "157cd2a508a0c837508af1e35a2e72c9"},
                    Hashed{{3, 33, 31, 17, 17}, "9fe7251f4d92a7dfc718f01eafea2724"},
                    Hashed{{3, 8, 8, 8, 8}, "067502fab1d63b838000e4d27ec33bf0"},
                    Hashed{{1, 1, 1, 3, 3}, "eb5e4cf9ec9c1e56a766f2b23597e2c5"},
                    Hashed{{3, 100, 3, 2, 7}, "ab30e96d0b45d2636687be07d569e35b"},
                    Hashed{{1, 9, 40, 9, 13}, "3831ce5f0bcd0f5322f5952303557d6a"},
                    Hashed{{3, 40, 9, 64, 9}, "23cee68ffe127c642e08f43a73454cd0"},
                    Hashed{{3, 224, 224, 160, 160}, "9bac882b7d2d5db635038fbd755d2c25"},
                    Hashed{{1, 500, 333, 32, 32}, "dd3abaafbc27bca2458faad668a4a253"}));

TEST(Resize, LeavesAFlatImageFlat) {
  for (const uint8_t level : {0, 1, 127, 255}) {
    for (const int64_t side : {1, 7, 64, 301}) {
      const std::vector<uint8_t> image(24 * 24, level);
      std::vector<uint8_t> out(static_cast<size_t>(side * side));
      host::Resizer::Scratch scratch;
      host::Resizer(24, 24, side, side).resize(image.data(), 1, scratch, out.data());
      EXPECT_THAT(out, testing::Each(level)) << side;
    }
  }
}

}  // namespace
}  // namespace retort::test
