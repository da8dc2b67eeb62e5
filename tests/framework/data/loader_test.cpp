#include "framework/data/loader.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>

#include "framework/base/error.hpp"
#include "tests/framework/data/images.hpp"
#include "tests/framework/data/not_in_memory.hpp"

namespace retort::test {
namespace {

/// 70 images: four batches of 16, and 6 that no epoch shows.
struct Fixture {
  host::ImageData data = random_images(70, 1, 4, 4);
  host::ViewMaker views = make_views(data, {crop(1), flip()});
  host::Sampler sampler{data.trained_samples(), 16, 1};
  host::Loader loader{data, sampler, {{host::kImageField, &views}}, 1};
};

/// The samples of what is left of the epoch, in their order.
std::vector<int64_t> rest_of_epoch(host::Loader& loader) {
  std::vector<int64_t> order;
  while (const auto batch = loader.next()) {
    const int64_t* samples = batch->at(host::kIndexField).const_data_ptr<int64_t>();
    order.insert(order.end(), samples, samples + batch->size());
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
  EXPECT_EQ(f.sampler.batches_per_epoch(), 4);
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
  const host::Sampler sampler(f.data.trained_samples(), 16, 2);
  host::Loader seeded(f.data, sampler, {{host::kImageField, &f.views}}, 2);
  EXPECT_NE(order_of(seeded, 0), order_of(f.loader, 0));
}

TEST(Loader, GivesViewsLabelsAndPositionsOfTheSameSamples) {
  Fixture f;
  f.loader.start_epoch(3);
  const auto batch = f.loader.next();
  ASSERT_TRUE(batch);
  const at::Tensor& indices = batch->at(host::kIndexField);
  const int64_t* samples = indices.const_data_ptr<int64_t>();
  EXPECT_TRUE(batch->at(host::kImageField).equal(f.views.train_views({samples, 16}, 3)));
  EXPECT_TRUE(batch->at(host::kLabelField).equal(indices.remainder(10)));
  EXPECT_EQ(batch->fields().size(), 3u);
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

TEST(Loader, GivesFieldsOfOneMakerAsOneTensor) {
  Fixture f;
  host::Loader shared(f.data, f.sampler, {{host::kImageField, &f.views}, {"again", &f.views}}, 1);
  shared.start_epoch(0);
  const auto batch = shared.next();
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->at("again").is_same(batch->at(host::kImageField)));
}

TEST(Loader, GivesTheSameViewsInAnotherNormalisation) {
  Fixture f;
  const host::ViewMaker plain(f.data, {{0}, {1}}, {{crop(1), flip()}}, 1, false);
  host::Loader both(f.data, f.sampler, {{host::kImageField, &f.views}, {"plain", &plain}}, 1);
  both.start_epoch(0);
  const auto batch = both.next();
  ASSERT_TRUE(batch);
  const at::Tensor& images = batch->at(host::kImageField);
  EXPECT_FALSE(batch->at("plain").is_same(images));
  // (p - 0.25) / 0.5 of the one against p of the other, exact but for one rounding.
  EXPECT_TRUE(images.mul(0.5).add(0.25).allclose(batch->at("plain")));
}

TEST(Loader, GivesTheSameBatchesWithAnyNumberOfThreads) {
  Fixture f;
  const host::MixConfig mix = {0.2, 1};
  host::Loader one(f.data, f.sampler, {{host::kImageField, &f.views}}, 1, mix);
  for (const size_t workers : {2, 3, 8}) {
    host::Loader many(f.data, f.sampler, {{host::kImageField, &f.views}}, 1, mix, workers);
    for (int64_t epoch = 0; epoch < 20; ++epoch) {
      one.start_epoch(epoch), many.start_epoch(epoch);
      for (int number = 0; number < 4; ++number) {
        const auto wanted = one.next(), given = many.next();
        ASSERT_TRUE(wanted && given);
        ASSERT_TRUE(given->at(host::kIndexField).equal(wanted->at(host::kIndexField)));
        ASSERT_TRUE(given->at(host::kImageField).equal(wanted->at(host::kImageField)));
        ASSERT_EQ(given->share, wanted->share);
      }
      EXPECT_FALSE(many.next());
    }
  }
}

TEST(Loader, GivesSeveralViewsAlikeWithAnyNumberOfThreads) {
  Fixture f;
  const host::ViewMaker strong =
      make_maker(f.data, make_recipe("strong", {crop(1), rand_augment()}));
  const host::ViewMaker large = make_maker(f.data, make_recipe("", {crop(1), flip()}, 7));
  const host::ViewMaker turned =
      make_maker(f.data, make_recipe("turned", {crop(1), flip(), rotations()}, 0, 4));
  const std::vector<host::View> views = {
      {"image", &f.views}, {"strong", &strong}, {"large", &large}, {"turned", &turned}};
  host::Loader one(f.data, f.sampler, views, 1, {0.2, 0});
  host::Loader many(f.data, f.sampler, views, 1, {0.2, 0}, 3);
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    one.start_epoch(epoch), many.start_epoch(epoch);
    for (int number = 0; number < 4; ++number) {
      const auto wanted = one.next(), given = many.next();
      ASSERT_TRUE(wanted && given);
      EXPECT_EQ(given->size(), 16);
      EXPECT_EQ(given->at("turned").size(0), 64);
      EXPECT_EQ(given->at(host::kLabelField).size(0), 16);
      for (const host::Field& field : wanted->fields())
        ASSERT_TRUE(given->at(field.name).equal(field.tensor)) << field.name;
    }
    EXPECT_FALSE(many.next());
  }
}

TEST(Loader, GivesEachViewOfTheSameSamples) {
  Fixture f;
  const host::ViewMaker turned =
      make_maker(f.data, make_recipe("turned", {crop(1), rotations()}, 0, 2));
  host::Loader loader(f.data, f.sampler, {{"image", &f.views}, {"turned", &turned}}, 1);
  loader.start_epoch(2);
  const auto batch = loader.next();
  ASSERT_TRUE(batch);
  const std::span samples(batch->at(host::kIndexField).const_data_ptr<int64_t>(), 16);
  EXPECT_TRUE(batch->at("image").equal(f.views.train_views(samples, 2)));
  EXPECT_TRUE(batch->at("turned").equal(turned.train_views(samples, 2)));
}

TEST(Loader, RefusesCutmixOfViewsOfSeveralSizes) {
  Fixture f;
  const host::ViewMaker large = make_maker(f.data, make_recipe("", {}, 7));
  EXPECT_THROW(host::Loader(f.data, f.sampler, {{"large", &large}}, 1, {0, 1}), std::logic_error);
}

TEST(Loader, ThrowsWhatAThreadThrewAndStartsAnew) {
  for (const size_t workers : {1, 3}) {
    Fixture f;
    host::Loader loader(f.data, f.sampler, {{host::kImageField, &f.views}}, 1, {}, workers);
    const auto whole = f.data.source;
    const auto broken = std::make_shared<NotInMemory>(whole);
    broken->fail = true;
    f.data.source = broken;
    loader.start_epoch(0);
    EXPECT_THROW(loader.next(), host::DataError);
    EXPECT_THROW(loader.next(), host::DataError);
    f.data.source = whole;
    EXPECT_EQ(order_of(loader, 1), order_of(f.loader, 1));
  }
}

TEST(Batch, RefusesATakenNameAnotherSizeAndAFieldThatIsNotThere) {
  host::Batch batch;
  batch.put("label", at::zeros({4}));
  EXPECT_THROW(batch.put("label", at::zeros({4})), std::logic_error);
  EXPECT_THROW(batch.put("index", at::zeros({5})), std::logic_error);
  EXPECT_THROW(batch.at("image"), std::logic_error);
  EXPECT_EQ(batch.size(), 4);
}

std::string refusal(host::Batch& batch, const at::Tensor& tensor, int64_t times) {
  try {
    batch.put("other", tensor, times);
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "";
}

TEST(Batch, HoldsFieldsOfSeveralRowsASample) {
  host::Batch batch;
  batch.put("image", at::zeros({6, 1}), 3);
  EXPECT_EQ(batch.size(), 2);
  batch.put("label", at::zeros({2}));
  batch.put("two", at::zeros({4}), 2);
  EXPECT_EQ(batch.size(), 2);
  EXPECT_EQ(refusal(batch, at::zeros({6}), 1),
            "the field \"other\" has 6 samples, and the batch 2");
  EXPECT_EQ(refusal(batch, at::zeros({6}), 2),
            "the field \"other\" has 6 rows for 2 copies of samples, and the batch 2");
  host::Batch uneven;
  EXPECT_NE(refusal(uneven, at::zeros({5}), 2), "");
}

TEST(Batch, KeepsTheRowsOfItsSamplesWhenMovedOrNarrowed) {
  host::Batch batch;
  batch.put("image", at::zeros({6, 1}), 2);
  batch.put("label", at::zeros({3}));
  batch.share = 0.75;
  const std::vector<std::string> names = {"image"};
  EXPECT_EQ(batch.to(at::kMeta, names).size(), 3);
  batch.at("image").narrow(0, 2, 4).fill_(1);
  const host::Batch part = batch.narrow(1, 2);
  EXPECT_EQ(part.size(), 2);
  EXPECT_EQ(part.share, 0.75);
  EXPECT_EQ(part.at("image").size(0), 4);
  EXPECT_TRUE(part.at("image").eq(1).all().item<bool>());
}

TEST(Batch, MovesTheFieldsOfItsNamesAndOneTensorOnce) {
  host::Batch batch;
  batch.put("image", at::zeros({2, 1}));
  batch.put("again", batch.at("image"));
  batch.put("label", at::zeros({2}));
  batch.share = 0.5;
  const std::vector<std::string> names = {"again", "image"};
  const host::Batch moved = batch.to(at::kMeta, names);
  EXPECT_TRUE(moved.at("again").is_same(moved.at("image")));
  EXPECT_TRUE(moved.at("image").is_meta());
  EXPECT_EQ(moved.find("label"), nullptr);
  EXPECT_EQ(moved.share, 0.5);
}

/// Each process its own part of one order, all of it together.
TEST(Sampler, SharesAnEpochsBatchesOutToProcesses) {
  std::vector<int64_t> samples(70);
  std::iota(samples.begin(), samples.end(), 100);
  const std::vector<int64_t> whole = host::Sampler(samples, 10, 1).order(3);
  ASSERT_EQ(whole.size(), 70u);
  for (int64_t rank = 0; rank < 3; ++rank) {
    const host::Sampler sampler(samples, 10, 1, rank, 3);
    EXPECT_EQ(sampler.batches_per_epoch(), 2);
    const std::vector<int64_t> own = sampler.order(3);
    for (size_t i = 0; i < own.size(); ++i)
      EXPECT_EQ(own[i], whole[(i / 10 * 3 + static_cast<size_t>(rank)) * 10 + i % 10]);
  }
}

}  // namespace
}  // namespace retort::test
