#include "framework/data/source.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "framework/data/loader.hpp"
#include "tests/framework/data/images.hpp"
#include "tests/framework/data/not_in_memory.hpp"

namespace retort::test {
namespace {

using host::Split;

TEST(Source, FetchesWhatItLendsInTheOrderAskedFor) {
  const host::ImageData data = random_images(20, 3, 5, 4);
  const std::vector<int64_t> samples = {7, 19, 0, 7};
  const auto bytes = static_cast<size_t>(data.sample_bytes());
  std::vector<uint8_t> fetched(samples.size() * bytes);
  data.source->fetch(Split::Train, samples, fetched.data());
  for (size_t i = 0; i < samples.size(); ++i) {
    const uint8_t* lent = data.source->lend(Split::Train, samples[i]);
    EXPECT_TRUE(std::equal(lent, lent + bytes, fetched.data() + i * bytes)) << i;
  }
}

TEST(Source, TellsItsFactsSizesAndLabels) {
  const host::StoredSplit train = random_split(20, 3, 5, 4), test = random_split(7, 3, 5, 4);
  const host::SourceFacts facts = random_images(1, 3, 5, 4);
  const host::MemorySource source(facts, train, test);
  EXPECT_EQ(source.facts().sample_bytes(), 60);
  EXPECT_EQ(source.size(Split::Train), 20);
  EXPECT_EQ(source.size(Split::Test), 7);
  EXPECT_TRUE(source.labels(Split::Test).equal(test.labels));
}

TEST(Source, OfOtherPixelsOrLabelsHasAnotherFingerprint) {
  const host::SourceFacts facts = random_images(1, 1, 5, 4);
  const host::StoredSplit train = random_split(20, 1, 5, 4), test = random_split(7, 1, 5, 4);
  const std::string whole = host::MemorySource(facts, train, test).fingerprint();
  EXPECT_EQ(host::MemorySource(facts, random_split(20, 1, 5, 4), test).fingerprint(), whole);
  EXPECT_NE(host::MemorySource(facts, test, train).fingerprint(), whole);
  for (const at::Tensor& part : {train.images, train.labels, test.images, test.labels}) {
    part.view({-1})[3].add_(1);
    EXPECT_NE(host::MemorySource(facts, train, test).fingerprint(), whole);
    part.view({-1})[3].sub_(1);
  }
  EXPECT_EQ(host::MemorySource(facts, train, test).fingerprint(), whole);
}

/// The same views from a source that lends nothing; a batch's samples are fetched once for all.
TEST(Source, ServesViewsFromMemoryOrNot) {
  const host::ImageData data = random_images(60, 3, 6, 6);
  const auto away = std::make_shared<NotInMemory>(data.source);
  const host::ImageData fetched(away);
  const std::vector<host::Augment> steps = {crop(1), flip(), rand_augment(), erase(0.5)};
  const host::ViewMaker near = make_views(data, steps), far = make_views(fetched, steps);
  const host::ViewMaker large = make_maker(fetched, make_recipe("", {crop(1)}, 9));
  const std::vector<int64_t> samples = {3, 59, 0};
  EXPECT_TRUE(far.train_views(samples, 2).equal(near.train_views(samples, 2)));
  EXPECT_TRUE(far.test_views(4, 9).equal(near.test_views(4, 9)));

  const host::Sampler sampler(data.trained_samples(), 20, 1);
  host::Loader loader(fetched, sampler, {{"a", &far}, {"b", &large}}, 1);
  away->fetches = 0;
  loader.start_epoch(0);
  while (loader.next()) {
  }
  EXPECT_EQ(away->fetches, 3);
}

TEST(Source, IsFetchedFromManyThreads) {
  const host::ImageData data = random_images(64, 3, 6, 6);
  const auto bytes = static_cast<size_t>(data.sample_bytes());
  const host::ViewMaker maker = make_maker(data, make_recipe("x", {crop(1), rand_augment()}, 9, 2));
  const std::vector<int64_t> pair = {5, 6};
  const at::Tensor wanted = maker.train_views(pair, 1);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int64_t thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      std::vector<uint8_t> into(2 * bytes);
      for (int64_t i = 0; i < 200; ++i) {
        const std::vector<int64_t> samples = {(thread * 7 + i) % 64, (i * 3) % 64};
        data.source->fetch(Split::Train, samples, into.data());
        for (size_t k = 0; k < 2; ++k) {
          const uint8_t* lent = data.source->lend(Split::Train, samples[k]);
          if (!std::equal(lent, lent + bytes, into.data() + k * bytes)) ++wrong;
        }
        if (i % 20 == 0 && !maker.train_views(pair, 1).equal(wanted)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(SampleSet, TellsWhereEvaluatedSamplesLie) {
  host::ImageData data = random_images(10, 1, 2, 2);
  data.validation = {2, 5, 9};
  EXPECT_THAT(data.find_positions(host::EvalSplit::Validation, 1, 2), testing::ElementsAre(5, 9));
  EXPECT_THAT(data.find_positions(host::EvalSplit::Test, 3, 2), testing::ElementsAre(3, 4));
  EXPECT_EQ(data.find_split(host::EvalSplit::Validation), Split::Train);
  EXPECT_EQ(data.find_split(host::EvalSplit::Test), Split::Test);
  EXPECT_THAT(data.trained_samples(), testing::ElementsAre(0, 1, 3, 4, 6, 7, 8));
}

}  // namespace
}  // namespace retort::test
