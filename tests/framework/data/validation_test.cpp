#include "framework/data/validation.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/data/loader.hpp"
#include "tests/framework/data/images.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

/// Labels that go round ten classes.
std::vector<int64_t> round_labels(int64_t count) {
  std::vector<int64_t> labels(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) labels[static_cast<size_t>(i)] = i % 10;
  return labels;
}

template <size_t kClasses>
std::array<int, kClasses> classes_of(const std::vector<int64_t>& held,
                                     const std::vector<int64_t>& labels) {
  std::array<int, kClasses> counts{};
  for (const int64_t sample : held) {
    ++counts[static_cast<size_t>(labels[static_cast<size_t>(sample)])];
  }
  return counts;
}

TEST(Validation, HoldsOutTheSameShareOfEveryClass) {
  const auto labels = round_labels(1000);
  const auto held = host::hold_out(labels, 10, 0.1);
  EXPECT_EQ(held.size(), 100u);
  EXPECT_TRUE(std::is_sorted(held.begin(), held.end()));
  EXPECT_EQ(std::set<int64_t>(held.begin(), held.end()).size(), 100u);
  EXPECT_THAT(classes_of<10>(held, labels), Each(10));
}

TEST(Validation, GivesTheRoundingToTheClassesThatLostMostByIt) {
  // 0.1 of 5, 18, 7 is 0.5, 1.8, 0.7: 3 in all, 1 of them by rounding down.
  std::vector<int64_t> labels(5, 0);
  labels.insert(labels.end(), 18, 1);
  labels.insert(labels.end(), 7, 2);
  EXPECT_THAT(classes_of<3>(host::hold_out(labels, 3, 0.1), labels), ElementsAre(0, 2, 1));
}

TEST(Validation, ChoosesAmongTheSamplesOfAClassAtRandomAndAlwaysAlike) {
  const auto labels = round_labels(1000);
  const auto held = host::hold_out(labels, 10, 0.1);
  EXPECT_EQ(host::hold_out(labels, 10, 0.1), held);
  EXPECT_GT(held.back(), 800);  // not the first ones
  EXPECT_NE(held, host::hold_out(round_labels(990), 10, 0.1));
}

TEST(Validation, RefusesAShareOfNoSampleOrAll) {
  EXPECT_THAT(
      message_of<host::ConfigError>([] { host::hold_out(round_labels(20), 10, 0.01); }),
      HasSubstr("data.validation = 0.01 holds out 0 of 20 training samples; it must hold out at "
                "least one and leave at least one"));
  EXPECT_THAT(message_of<host::ConfigError>([] { host::hold_out(round_labels(20), 10, 0.99); }),
              HasSubstr("data.validation = 0.99 holds out 20 of 20"));
}

struct Fixture {
  Fixture() {
    const auto labels = round_labels(70);
    data.validation = host::hold_out(labels, 10, 0.3);
  }
  host::ImageData data = random_images(70, 3, 6, 5);
  host::ViewMaker views = make_views(data, {crop(1), flip()});
};

TEST(Validation, IsNeverTrainedOnAndTheRestIs) {
  Fixture f;
  const host::Sampler sampler(f.data.trained_samples(), 7, 1);
  host::Loader loader(f.data, sampler, {{host::kImageField, &f.views}}, 1);
  EXPECT_EQ(sampler.batches_per_epoch(), 7);
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<int64_t> seen = f.data.validation;
    loader.start_epoch(epoch);
    while (const auto batch = loader.next()) {
      const int64_t* samples = batch->at(host::kIndexField).const_data_ptr<int64_t>();
      seen.insert(seen.end(), samples, samples + batch->size());
    }
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(seen.size(), 70u);
    for (int64_t i = 0; i < 70; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
  }
}

TEST(Validation, ShowsTheHeldOutSamplesPlainWithTheirLabels) {
  Fixture f;
  ASSERT_EQ(f.data.size(host::EvalSplit::Validation), 21);
  const at::Tensor seen = f.views.test_views(4, 9, host::EvalSplit::Validation);
  const at::Tensor labels = f.data.labels(host::EvalSplit::Validation, 4, 9);
  for (int64_t i = 0; i < 9; ++i) {
    const int64_t sample = f.data.validation[static_cast<size_t>(4 + i)];
    EXPECT_TRUE(seen[i].equal(normalized(fetch_pixels(f.data, sample)))) << i;
    EXPECT_EQ(labels[i].item<int64_t>(), sample % 10);
  }
}

TEST(Validation, ChangesTheContentHash) {
  Fixture f;
  const std::string held = content_hash(f.data);
  f.data.validation.clear();
  EXPECT_NE(content_hash(f.data), held);
}

}  // namespace
}  // namespace retort::test
