#include "framework/data/views.hpp"

#include <ATen/ops/constant_pad_nd.h>
#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <optional>

#include "framework/base/error.hpp"
#include "tests/framework/data/images.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using testing::HasSubstr;

at::Tensor view(const host::ViewMaker& views, int64_t sample, int64_t epoch) {
  return views.train_views(std::vector<int64_t>{sample}, epoch)[0];
}

TEST(Views, AreTheSameInAnotherBatch) {
  const host::ImageData data = random_images(8, 3, 6, 5);
  const host::ViewMaker views = make_views(data, {crop(2), flip()});
  const at::Tensor batch = views.train_views(std::vector<int64_t>{5, 2, 7}, 4);
  const at::Tensor turned = views.train_views(std::vector<int64_t>{7, 5}, 4);
  EXPECT_TRUE(batch[0].equal(turned[1]));
  EXPECT_TRUE(batch[2].equal(turned[0]));
}

TEST(Views, DifferByEpochSampleAndSeed) {
  const host::StoredSplit split = random_split(2, 1, 8, 8);
  split.images[1].copy_(split.images[0]);
  const host::ImageData data = make_images(split);
  const std::vector<host::Augment> augment = {crop(3), flip()};
  const host::ViewMaker views = make_views(data, augment), seeded = make_views(data, augment, 2);
  int by_epoch = 0, by_sample = 0, by_seed = 0;
  for (int64_t epoch = 0; epoch < 16; ++epoch) {
    const at::Tensor here = view(views, 0, epoch);
    by_epoch += here.equal(view(views, 0, epoch + 1)) ? 0 : 1;
    by_sample += here.equal(view(views, 1, epoch)) ? 0 : 1;
    by_seed += here.equal(view(seeded, 0, epoch)) ? 0 : 1;
  }
  // 98 views are possible: one in 16 pairs may agree by chance, half of them may not.
  EXPECT_GE(by_epoch, 8);
  EXPECT_GE(by_sample, 8);
  EXPECT_GE(by_seed, 8);
}

TEST(Views, HoldTheSameNumbersInChannelsLast) {
  const host::ImageData data = random_images(4, 3, 6, 5);
  const std::vector<int64_t> samples = {3, 0, 1};
  const at::Tensor plain = make_views(data, {crop(2), flip()}).train_views(samples, 1);
  const at::Tensor last = make_views(data, {crop(2), flip()}, 1, at::MemoryFormat::ChannelsLast)
                              .train_views(samples, 1);
  EXPECT_TRUE(last.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(last.equal(plain));
}

TEST(Views, OfTheTestSplitAreNormalisedAndNothingElse) {
  const host::ImageData data = random_images(4, 3, 6, 5);
  const at::Tensor views = make_views(data, {crop(2), flip()}).test_views(1, 3);
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_TRUE(views[i].equal(normalized(fetch_pixels(data, 1 + i))));
}

/// The view at an offset, made the slow way: pad with zero bytes, cut, mirror, normalise.
at::Tensor naive(const host::ImageData& data, int64_t sample, int64_t padding, int64_t y, int64_t x,
                 bool flipped) {
  const at::Tensor padded =
      at::constant_pad_nd(fetch_pixels(data, sample), {padding, padding, padding, padding}, 0);
  at::Tensor cut = padded.narrow(1, y, data.height).narrow(2, x, data.width);
  if (flipped) cut = cut.flip({2});
  return normalized(cut);
}

struct Found {
  int64_t y, x;
  bool flipped;
};

/// The offset at which the slow way gives this view; nothing when none does.
std::optional<Found> find_offset(const host::ImageData& data, const at::Tensor& seen,
                                 int64_t sample, int64_t padding) {
  for (int64_t y = 0; y <= 2 * padding; ++y) {
    for (int64_t x = 0; x <= 2 * padding; ++x) {
      for (const bool flipped : {false, true}) {
        if (seen.equal(naive(data, sample, padding, y, x, flipped))) return Found{y, x, flipped};
      }
    }
  }
  return std::nullopt;
}

TEST(Views, AreCropsAndFlipsOfTheImagePaddedWithZeroBytes) {
  const host::ImageData data = random_images(40, 2, 6, 5);
  const host::ViewMaker cropped = make_views(data, {crop(2), flip()});
  const host::ViewMaker flipped = make_views(data, {flip(), crop(2)});
  for (int64_t sample = 0; sample < 40; ++sample) {
    EXPECT_TRUE(find_offset(data, view(cropped, sample, 0), sample, 2)) << sample;
    EXPECT_TRUE(find_offset(data, view(flipped, sample, 0), sample, 2)) << sample;
  }
}

TEST(Views, CropAndFlipInTheOrderGiven) {
  const host::ImageData data = random_images(64, 1, 6, 6);
  const host::ViewMaker cropped = make_views(data, {crop(2)}),
                        both = make_views(data, {crop(2), flip()});
  for (int64_t sample = 0; sample < 64; ++sample) {
    // The crop's draw is the first of both, so the second is the first view or its mirror.
    const at::Tensor first = view(cropped, sample, 0), second = view(both, sample, 0);
    EXPECT_TRUE(second.equal(first) || second.equal(first.flip({2}))) << sample;
  }
}

TEST(Views, ShowEveryOffsetAndFlipAlikeOften) {
  constexpr int64_t kPadding = 1, kSide = 2 * kPadding + 1, kViews = 3600;
  const host::ImageData data = random_images(1, 1, 4, 4);
  const host::ViewMaker views = make_views(data, {crop(kPadding), flip()});
  std::array<int, kSide * kSide * 2> seen{};
  for (int64_t epoch = 0; epoch < kViews; ++epoch) {
    const auto found = find_offset(data, view(views, 0, epoch), 0, kPadding);
    ASSERT_TRUE(found);
    ++seen[static_cast<size_t>((found->y * kSide + found->x) * 2 + (found->flipped ? 1 : 0))];
  }
  const double expected = static_cast<double>(kViews) / static_cast<double>(seen.size());
  for (const int count : seen) {
    EXPECT_NEAR(count, expected, kStandardErrors * std::sqrt(expected));
  }
}

TEST(Views, RefuseANormalisationOfAnotherChannelCount) {
  const host::ImageData data = random_images(1, 3, 4, 4);
  EXPECT_THAT(message_of<host::ConfigError>([&] {
                host::ViewMaker(data, {{0.5}, {0.5}}, {}, 1, false);
              }),
              HasSubstr("normalize has 1 means and 1 deviations; random has 3 channels"));
}

}  // namespace
}  // namespace retort::test
