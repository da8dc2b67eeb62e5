#include "framework/data/image_ops.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "framework/data/randaugment.hpp"

namespace retort::test {
namespace {

using host::AugmentOperation;
using host::PlanarImage;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using Pixels = std::vector<uint8_t>;

PlanarImage image_of(int64_t channels, int64_t height, int64_t width, const Pixels& pixels) {
  PlanarImage image(channels, height, width);
  image.pixels = pixels;
  return image;
}

/// One row of grey pixels.
PlanarImage row(const Pixels& pixels) { return image_of(1, 1, std::ssize(pixels), pixels); }

/// 3 x 3, one channel: 1 to 9.
PlanarImage nine() { return image_of(1, 3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9}); }

TEST(ImageOps, RotateCounterClockwise) {
  PlanarImage quarter = nine(), half = nine(), back = nine();
  rotate(quarter, 90);
  rotate(half, 180);
  rotate(back, -90);
  EXPECT_THAT(quarter.pixels, ElementsAre(3, 6, 9, 2, 5, 8, 1, 4, 7));
  EXPECT_THAT(half.pixels, ElementsAre(9, 8, 7, 6, 5, 4, 3, 2, 1));
  EXPECT_THAT(back.pixels, ElementsAre(7, 4, 1, 8, 5, 2, 9, 6, 3));
}

TEST(ImageOps, ShearRowsByTheirDistanceFromTheTop) {
  // At pixel centres floor(x') = floor((x + 1/2) + (y + 1/2)) = x + y + 1.
  PlanarImage image = nine();
  affine(image, {1, 1, 0, 0, 1, 0});
  EXPECT_THAT(image.pixels, ElementsAre(2, 3, 0, 6, 0, 0, 0, 0, 0));
}

TEST(ImageOps, PosterizeKeepsTheHighestBits) {
  PlanarImage image = row({255, 127, 63, 16, 15});
  posterize(image, 4);
  EXPECT_THAT(image.pixels, ElementsAre(240, 112, 48, 16, 0));
}

TEST(ImageOps, SolarizeInvertsFromTheThresholdOn) {
  PlanarImage image = row({0, 127, 128, 255});
  solarize(image, 128);
  EXPECT_THAT(image.pixels, ElementsAre(0, 127, 127, 0));
}

TEST(ImageOps, AutocontrastStretchesEachChannelAndLeavesAFlatOne) {
  PlanarImage image = image_of(3, 1, 3, {50, 100, 150, 7, 7, 7, 0, 1, 255});
  autocontrast(image);
  // (100 - 50) 255 / 100 = 127.5, cut off.
  EXPECT_THAT(image.pixels, ElementsAre(0, 127, 255, 7, 7, 7, 0, 1, 255));
}

TEST(ImageOps, EqualizeSpreadsTheLevelsByHowManyPixelsLieBelow) {
  // 1020 pixels: 510 of 10, 255 of 20, 255 of 30. step = (1020 - 255) / 255 = 3, and a level's new
  // value is (3 / 2 + pixels below) / 3.
  Pixels pixels(1020, 10);
  std::fill(pixels.begin() + 510, pixels.begin() + 765, uint8_t{20});
  std::fill(pixels.begin() + 765, pixels.end(), uint8_t{30});
  PlanarImage image = row(pixels);
  equalize(image);
  EXPECT_EQ(image.pixels[0], 0);
  EXPECT_EQ(image.pixels[510], 170);
  EXPECT_EQ(image.pixels[765], 255);
}

TEST(ImageOps, BrightnessScalesAndCutsOff) {
  PlanarImage darker = row({0, 101, 255}), brighter = darker;
  adjust_brightness(darker, 0.5);
  adjust_brightness(brighter, 1.5);
  EXPECT_THAT(darker.pixels, ElementsAre(0, 50, 127));
  EXPECT_THAT(brighter.pixels, ElementsAre(0, 151, 255));
}

TEST(ImageOps, ContrastMovesAwayFromTheRoundedMeanOfGrey) {
  PlanarImage image = row({10, 20, 31});  // mean 20.33, rounded 20
  adjust_contrast(image, 2);
  EXPECT_THAT(image.pixels, ElementsAre(0, 20, 42));
}

TEST(ImageOps, ContrastOfColoursUsesTheirGrey) {
  // Grey of pure red: (255 * 19595 + 32768) >> 16 = 76.
  PlanarImage image = image_of(3, 1, 1, {255, 0, 0});
  adjust_contrast(image, 0);
  EXPECT_THAT(image.pixels, ElementsAre(76, 76, 76));
}

TEST(ImageOps, ColorMovesEachPixelAwayFromItsGrey) {
  PlanarImage grey = image_of(3, 1, 2, {255, 0, 0, 255, 0, 0}), half = grey, one = row({9, 90});
  adjust_color(grey, 0);
  adjust_color(half, 0.5);
  adjust_color(one, 0);
  EXPECT_THAT(grey.pixels, ElementsAre(76, 150, 76, 150, 76, 150));
  // 76 + (255 - 76) / 2 = 165.5, 150 + (0 - 150) / 2 = 75 and so on, cut off.
  EXPECT_THAT(half.pixels, ElementsAre(165, 75, 38, 202, 38, 75));
  EXPECT_THAT(one.pixels, ElementsAre(9, 90));
}

TEST(ImageOps, SharpnessMovesTheInsideAwayFromItsMean) {
  // The centre's smoothed value is (8 * 13 + 5 * 26) / 13 = 18; 18 + 2 (26 - 18) = 34.
  PlanarImage sharp = image_of(1, 3, 3, {13, 13, 13, 13, 26, 13, 13, 13, 13}), smooth = sharp;
  adjust_sharpness(sharp, 2);
  adjust_sharpness(smooth, 0);
  EXPECT_THAT(sharp.pixels, ElementsAre(13, 13, 13, 13, 34, 13, 13, 13, 13));
  EXPECT_THAT(smooth.pixels, ElementsAre(13, 13, 13, 13, 18, 13, 13, 13, 13));
}

TEST(RandAugment, TranslatesByWholePixelsAtBinNineOfThirty) {
  // 150 / 331 * 10 * 9 / 30 = 1.36 pixels, cut to 1.
  PlanarImage right = row({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), left = right;
  apply(AugmentOperation::TranslateX, 9, false, right);
  apply(AugmentOperation::TranslateX, 9, true, left);
  EXPECT_THAT(right.pixels, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(left.pixels, ElementsAre(2, 3, 4, 5, 6, 7, 8, 9, 10, 0));
}

TEST(RandAugment, TakesPosterizeAndSolarizeToTheirEnds) {
  PlanarImage four = row({255, 100, 5}), six = four, inverted = four;
  apply(AugmentOperation::Posterize, 30, true, four);
  apply(AugmentOperation::Posterize, 15, false, six);
  apply(AugmentOperation::Solarize, 30, false, inverted);
  EXPECT_THAT(four.pixels, ElementsAre(240, 96, 0));
  EXPECT_THAT(six.pixels, ElementsAre(252, 100, 4));
  EXPECT_THAT(inverted.pixels, ElementsAre(0, 155, 250));
}

TEST(RandAugment, LeavesAnImageAloneAtMagnitudeZero) {
  Pixels pixels(3 * 8 * 8);
  std::iota(pixels.begin(), pixels.end(), uint8_t{20});
  for (uint32_t operation = 0; operation < host::kAugmentOperations; ++operation) {
    const auto kind = static_cast<AugmentOperation>(operation);
    if (kind == AugmentOperation::AutoContrast || kind == AugmentOperation::Equalize) continue;
    PlanarImage image = image_of(3, 8, 8, pixels);
    apply(kind, 0, true, image);
    EXPECT_THAT(image.pixels, ElementsAreArray(pixels)) << operation;
  }
}

}  // namespace
}  // namespace retort::test
