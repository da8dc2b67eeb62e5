#include "framework/data/loader.hpp"

#include <algorithm>
#include <set>

#include "tests/framework/data/images.hpp"

namespace retort::test {
namespace {

/// 70 images: four batches of 16, and 6 that no epoch shows.
struct Fixture {
  host::ImageData data = random_images(70, 1, 4, 4);
  host::ViewMaker views = views_of(data, {crop(1), flip()});
  host::Loader loader{data, views, nullptr, 16, 1};
};

/// The samples of what is left of the epoch, in their order.
std::vector<int64_t> rest_of_epoch(host::Loader& loader) {
  std::vector<int64_t> order;
  while (const auto batch = loader.next()) {
    const int64_t* samples = batch->indices.const_data_ptr<int64_t>();
    order.insert(order.end(), samples, samples + batch->indices.numel());
  }
  return order;
}

std::vector<int64_t> order_of(host::Loader& loader, int64_t epoch) {
  loader.start_epoch(epoch);
  return rest_of_epoch(loader);
}

TEST(Loader, ShowsEachSampleAtMostOnceAnEpochAndDropsThePartialBatch) {
  Fixture f;
  const std::vector<int64_t> order = order_of(f.loader, 0);
  EXPECT_EQ(f.loader.batches_per_epoch(), 4);
  EXPECT_EQ(order.size(), 64u);
  EXPECT_EQ(std::set<int64_t>(order.begin(), order.end()).size(), 64u);
}

TEST(Loader, ShowsAnotherOrderInEachEpochAndTheSameInTheSame) {
  Fixture f;
  const std::vector<int64_t> first = order_of(f.loader, 0);
  EXPECT_NE(order_of(f.loader, 1), first);
  EXPECT_EQ(order_of(f.loader, 0), first);
}

TEST(Loader, ShowsAnotherOrderForAnotherSeed) {
  Fixture f;
  host::Loader seeded(f.data, f.views, nullptr, 16, 2);
  EXPECT_NE(order_of(seeded, 0), order_of(f.loader, 0));
}

TEST(Loader, GivesViewsLabelsAndPositionsOfTheSameSamples) {
  Fixture f;
  f.loader.start_epoch(3);
  const auto batch = f.loader.next();
  ASSERT_TRUE(batch);
  const int64_t* samples = batch->indices.const_data_ptr<int64_t>();
  EXPECT_TRUE(batch->student_images.equal(f.views.train_views({samples, 16}, 3)));
  EXPECT_TRUE(batch->labels.equal(batch->indices.remainder(10)));
  EXPECT_FALSE(batch->teacher_images.defined());
}

TEST(Loader, StartsAnewInTheMiddleOfAnEpoch) {
  Fixture f;
  const std::vector<int64_t> second = order_of(f.loader, 1);
  f.loader.start_epoch(0);
  f.loader.next();
  f.loader.start_epoch(1);
  EXPECT_EQ(rest_of_epoch(f.loader), second);
}

TEST(Loader, StartsAtALaterBatch) {
  Fixture f;
  const std::vector<int64_t> whole = order_of(f.loader, 1);
  f.loader.start_epoch(1, 3);
  EXPECT_EQ(rest_of_epoch(f.loader), std::vector<int64_t>(whole.begin() + 48, whole.end()));
  f.loader.start_epoch(1, 4);
  EXPECT_FALSE(f.loader.next());
}

TEST(Loader, EndsWithoutHavingBeenReadToItsEnd) {
  for (int reads = 0; reads < 3; ++reads) {
    Fixture f;
    f.loader.start_epoch(0);
    for (int i = 0; i < reads; ++i) EXPECT_TRUE(f.loader.next());
  }
}

TEST(Loader, GivesNothingBeforeTheFirstEpochAndAfterTheLastBatch) {
  Fixture f;
  EXPECT_FALSE(f.loader.next());
  order_of(f.loader, 0);
  EXPECT_FALSE(f.loader.next());
}

TEST(Loader, GivesTheTeacherTheSameTensorWhereBothNormaliseAlike) {
  Fixture f;
  host::Loader shared(f.data, f.views, &f.views, 16, 1);
  shared.start_epoch(0);
  const auto batch = shared.next();
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->teacher_images.is_same(batch->student_images));
}

TEST(Loader, GivesTheTeacherTheSameViewsInANormalisationOfItsOwn) {
  Fixture f;
  const host::ViewMaker teacher(f.data, {{0}, {1}}, {crop(1), flip()}, 1, false);
  host::Loader both(f.data, f.views, &teacher, 16, 1);
  both.start_epoch(0);
  const auto batch = both.next();
  ASSERT_TRUE(batch);
  EXPECT_FALSE(batch->teacher_images.is_same(batch->student_images));
  // (p - 0.25) / 0.5 of the student's against p of the teacher's, exact but for one rounding.
  EXPECT_TRUE(batch->student_images.mul(0.5).add(0.25).allclose(batch->teacher_images));
}

}  // namespace
}  // namespace retort::test
