#include <gmock/gmock.h>

#include <cmath>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/data/random_erasing.hpp"
#include "tests/framework/data/images.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using host::Augment;
using testing::HasSubstr;

at::Tensor views_at(const host::ViewMaker& views, const std::vector<int64_t>& samples,
                    int64_t epoch) {
  return views.train_views(samples, epoch);
}

const std::vector<Augment> kAll = {crop(2), flip(), rand_augment(), erase(0.5)};

TEST(Augment, GivesTheSameViewInAnotherBatchAndLayout) {
  const host::ImageData data = random_images(32, 3, 12, 10);
  const host::ViewMaker views = make_views(data, kAll),
                        last = make_views(data, kAll, 1, at::MemoryFormat::ChannelsLast);
  for (int64_t sample = 0; sample + 1 < 32; ++sample) {
    const at::Tensor alone = views_at(views, {sample}, 3)[0];
    EXPECT_TRUE(alone.equal(views_at(views, {sample + 1, 0, sample}, 3)[2])) << sample;
    EXPECT_TRUE(alone.equal(views_at(last, {sample}, 3)[0])) << sample;
  }
}

TEST(Augment, GivesOtherViewsInAnotherEpochAndForAnotherSeed) {
  const host::ImageData data = random_images(64, 3, 12, 10);
  const host::ViewMaker views = make_views(data, {rand_augment()});
  const host::ViewMaker seeded = make_views(data, {rand_augment()}, 2);
  int by_epoch = 0, by_seed = 0;
  for (int64_t sample = 0; sample < 64; ++sample) {
    const at::Tensor here = views_at(views, {sample}, 0);
    by_epoch += here.equal(views_at(views, {sample}, 1)) ? 0 : 1;
    by_seed += here.equal(views_at(seeded, {sample}, 0)) ? 0 : 1;
  }
  // Operations that change little, or the same ones by chance: a few of 64 pairs agree.
  EXPECT_GE(by_epoch, 55);
  EXPECT_GE(by_seed, 55);
}

TEST(Augment, OfNoOperationsIsTheCropAndFlipAlone) {
  const host::ImageData data = random_images(40, 3, 9, 7);
  const std::vector<int64_t> samples = {3, 39, 17, 0, 8, 21};
  const at::Tensor plain = make_views(data, {crop(2), flip()}).train_views(samples, 5);
  const std::vector<Augment> none = {crop(2), flip(), rand_augment(0), erase(0)};
  EXPECT_TRUE(make_views(data, none).train_views(samples, 5).equal(plain));
}

TEST(Augment, CropsAndFlipsAlsoWhatRandAugmentMade) {
  const host::ImageData data = random_images(40, 3, 9, 7);
  // The flip's draw is that of step 1 in both.
  const std::vector<Augment> first = {rand_augment(0), flip()}, second = {crop(0), flip()};
  EXPECT_TRUE(
      make_views(data, first)
          .train_views(std::vector<int64_t>{4, 5, 6, 7, 8}, 2)
          .equal(make_views(data, second).train_views(std::vector<int64_t>{4, 5, 6, 7, 8}, 2)));
}

TEST(Augment, ErasesOneBoxInAllChannelsAsOftenAsAsked) {
  const host::ImageData data = random_images(1, 3, 20, 24);
  const host::ViewMaker plain = make_views(data, {}), erased = make_views(data, {erase(0.25)});
  const at::Tensor whole = views_at(plain, {0}, 0)[0];
  constexpr int64_t kViews = 1000;
  int64_t count = 0;
  for (int64_t epoch = 0; epoch < kViews; ++epoch) {
    const at::Tensor seen = views_at(erased, {0}, epoch)[0], changed = seen.ne(whole);
    if (!changed.any().item<bool>()) continue;
    ++count;
    EXPECT_EQ(seen.masked_select(changed).abs().max().item<float>(), 0);
    // No normalised pixel of these is 0, so what changed is the box: full rows and columns.
    const int64_t rows = changed[0].any(1).sum().item<int64_t>();
    const int64_t columns = changed[0].any(0).sum().item<int64_t>();
    EXPECT_EQ(changed.sum().item<int64_t>(), 3 * rows * columns);
  }
  const double expected = 0.25 * kViews;
  EXPECT_NEAR(static_cast<double>(count), expected, kStandardErrors * std::sqrt(0.75 * expected));
}

TEST(Augment, ErasesBoxesOfTheAreaAndRatioOfThePaper) {
  constexpr int64_t kHeight = 200, kWidth = 300;
  double area_sum = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    const host::Box box = host::draw_erased_box(
        kHeight, kWidth, [&](uint64_t attempt) { return host::Philox(7).block(i, attempt); });
    ASSERT_GT(box.area(), 0);
    const double area = static_cast<double>(box.area()) / (kHeight * kWidth);
    const double ratio = static_cast<double>(box.height) / static_cast<double>(box.width);
    // A side is rounded by half a pixel of about 20 at least.
    EXPECT_NEAR(area, 0.175, 0.155 * 1.03);
    EXPECT_GT(ratio, 0.3 * 0.97);
    EXPECT_LT(ratio, 3.3 * 1.03);
    EXPECT_LE(box.top + box.height, kHeight);
    EXPECT_LE(box.left + box.width, kWidth);
    area_sum += area;
  }
  // Uniform in 0.02 .. 0.33, but for the few large and long ones that do not fit.
  EXPECT_NEAR(area_sum / 2000, 0.175, 0.02);
}

TEST(Augment, RefusesChannelsThatRandAugmentDoesNotKnow) {
  const host::ImageData data = random_images(1, 2, 4, 4);
  EXPECT_THAT(message_of<host::ConfigError>([&] {
                make_views(data, {flip(), rand_augment()});
              }),
              HasSubstr("data.augment[1]: randaugment is defined for images of 1 or 3 channels; "
                        "random has 2"));
}

TEST(Augment, RefusesToEraseBeforeOtherSteps) {
  const host::ImageData data = random_images(1, 3, 4, 4);
  EXPECT_THAT(message_of<host::ConfigError>([&] {
                make_views(data, {erase(1), flip()});
              }),
              HasSubstr("data.augment[0]: erase is step 1 of 2; it blanks the normalised image, so "
                        "put it last"));
}

}  // namespace
}  // namespace retort::test
