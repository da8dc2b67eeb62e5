#include <gmock/gmock.h>

#include <cmath>

#include "tests/plugins/datasets/dataset_rig.hpp"

namespace retort::test {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(Synthetic, IsDescribedByItsOptions) {
  const DatasetRig rig("synthetic", {{"classes", int64_t{3}},
                                     {"channels", int64_t{2}},
                                     {"size", int64_t{9}},
                                     {"train", int64_t{40}},
                                     {"test", int64_t{7}}});
  EXPECT_EQ(rig.info().train_count, 40);
  EXPECT_EQ(rig.info().test_count, 7);
  EXPECT_EQ(rig.info().channels, 2);
  EXPECT_EQ(rig.info().height, 9);
  EXPECT_EQ(rig.info().width, 9);
  EXPECT_EQ(rig.info().class_count, 3);
}

TEST(Synthetic, GivesASampleTheSameBytesHoweverItIsRead) {
  DatasetRig once("synthetic", {}), again("synthetic", {});
  const auto all = once.read(RETORT_SPLIT_TRAIN, 0, 30);
  const auto part = again.read(RETORT_SPLIT_TRAIN, 17, 1);
  EXPECT_EQ(part.labels[0], all.labels[17]);
  EXPECT_EQ(part.pixels, Bytes(all.pixels.begin() + 17 * 256, all.pixels.begin() + 18 * 256));
}

TEST(Synthetic, ChangesWithSeedSplitAndSample) {
  DatasetRig rig("synthetic", {}), other("synthetic", {{"seed", int64_t{2}}});
  const Bytes sample = rig.read(RETORT_SPLIT_TRAIN, 0, 1).pixels;
  EXPECT_NE(sample, rig.read(RETORT_SPLIT_TRAIN, 10, 1).pixels);  // of the same class
  EXPECT_NE(sample, rig.read(RETORT_SPLIT_TEST, 0, 1).pixels);
  EXPECT_NE(sample, other.read(RETORT_SPLIT_TRAIN, 0, 1).pixels);
}

TEST(Synthetic, WithoutNoiseGivesEachClassOnePattern) {
  DatasetRig rig("synthetic", {{"noise", 0.0}, {"classes", int64_t{4}}});
  const auto pattern = [&](int64_t i) { return rig.read(RETORT_SPLIT_TRAIN, i, 1).pixels; };
  EXPECT_EQ(pattern(1), pattern(5));
  EXPECT_EQ(pattern(1), rig.read(RETORT_SPLIT_TEST, 9, 1).pixels);
  EXPECT_NE(pattern(1), pattern(2));
}

TEST(Synthetic, CanBeToldApartByTheNearestPattern) {
  DatasetRig noisy("synthetic", {}), clean("synthetic", {{"noise", 0.0}});
  const auto patterns = clean.read(RETORT_SPLIT_TRAIN, 0, 10);
  const auto samples = noisy.read(RETORT_SPLIT_TEST, 0, 200);
  int right = 0;
  for (size_t i = 0; i < 200; ++i) {
    std::vector<double> distances(10, 0);
    for (size_t c = 0; c < 10; ++c) {
      for (size_t k = 0; k < 256; ++k) {
        const double difference = samples.pixels[i * 256 + k] - patterns.pixels[c * 256 + k];
        distances[c] += difference * difference;
      }
    }
    const auto nearest = std::min_element(distances.begin(), distances.end()) - distances.begin();
    right += nearest == samples.labels[i] ? 1 : 0;
  }
  EXPECT_GE(right, 190);
}

TEST(Synthetic, HasTheStatisticsItClaims) {
  DatasetRig rig("synthetic", {{"train", int64_t{256}}});
  double sum = 0, squares = 0;
  const Bytes pixels = rig.read(RETORT_SPLIT_TRAIN, 0, 256).pixels;
  for (const uint8_t pixel : pixels) {
    sum += pixel / 255.0;
    squares += pixel / 255.0 * (pixel / 255.0);
  }
  const double mean = sum / static_cast<double>(pixels.size());
  EXPECT_NEAR(rig.info().mean[0], mean, 1e-12);
  EXPECT_NEAR(rig.info().stddev[0],
              std::sqrt(squares / static_cast<double>(pixels.size()) - mean * mean), 1e-9);
}

}  // namespace
}  // namespace retort::test
