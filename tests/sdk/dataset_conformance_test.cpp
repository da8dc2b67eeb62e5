#include "framework/base/error.hpp"
#include "tests/plugins/datasets/dataset_rig.hpp"
#include "tests/sdk/conformance.hpp"

namespace retort::test {
namespace {

class DatasetComponent : public testing::TestWithParam<host::ComponentInfo> {
 protected:
  void SetUp() override {
    try {
      rig_ = std::make_unique<DatasetRig>(GetParam().id, Options{});
    } catch (const host::DataError& missing) {
      if (GetParam().id == "synthetic") throw;  // it has no files that could be missing
      GTEST_SKIP() << missing.what();
    }
  }
  int64_t count_of(retort_split split) const {
    return split == RETORT_SPLIT_TRAIN ? rig_->info().train_count : rig_->info().test_count;
  }

  std::unique_ptr<DatasetRig> rig_;
};

TEST_P(DatasetComponent, DescribesItselfInFull) {
  const retort_dataset_info& info = rig_->info();
  EXPECT_GT(info.train_count, 0);
  EXPECT_GT(info.test_count, 0);
  EXPECT_GE(info.class_count, 2);
  ASSERT_GT(info.channels * info.height * info.width, 0);
  for (int64_t channel = 0; channel < info.channels; ++channel) {
    EXPECT_GT(info.mean[channel], 0);
    EXPECT_LT(info.mean[channel], 1);
    EXPECT_GT(info.stddev[channel], 0);
    EXPECT_LT(info.stddev[channel], 1);
  }
  for (int64_t i = 0; info.class_names != nullptr && i < info.class_count; ++i)
    EXPECT_STRNE(info.class_names[i], "");
}

TEST_P(DatasetComponent, ReadsAnySampleAloneAsWithItsNeighbours) {
  for (const retort_split split : {RETORT_SPLIT_TRAIN, RETORT_SPLIT_TEST}) {
    const int64_t count = std::min<int64_t>(count_of(split), 3);
    for (const int64_t first : {int64_t{0}, count_of(split) - count}) {
      const DatasetRig::Samples together = rig_->read(split, first, count);
      const size_t bytes = together.pixels.size() / static_cast<size_t>(count);
      for (int64_t i = 0; i < count; ++i) {
        const DatasetRig::Samples alone = rig_->read(split, first + i, 1);
        EXPECT_EQ(alone.labels[0], together.labels[static_cast<size_t>(i)]);
        EXPECT_TRUE(std::equal(alone.pixels.begin(), alone.pixels.end(),
                               together.pixels.begin() + static_cast<ptrdiff_t>(bytes) * i));
      }
    }
  }
}

TEST_P(DatasetComponent, LabelsEverySampleWithAClass) {
  for (const retort_split split : {RETORT_SPLIT_TRAIN, RETORT_SPLIT_TEST}) {
    const DatasetRig::Samples all = rig_->read(split, 0, count_of(split));
    const auto [lowest, highest] = std::minmax_element(all.labels.begin(), all.labels.end());
    EXPECT_GE(*lowest, 0);
    EXPECT_LT(*highest, rig_->info().class_count);
  }
}

INSTANTIATE_TEST_SUITE_P(Built, DatasetComponent, testing::ValuesIn(built(RETORT_KIND_DATASET)),
                         name_of);

}  // namespace
}  // namespace retort::test
