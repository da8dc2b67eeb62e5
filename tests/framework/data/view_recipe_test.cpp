// Views by name: whose draws they take, their size, copies of a sample.
#include <ATen/ops/rot90.h>
#include <gmock/gmock.h>

#include <vector>

#include "framework/base/error.hpp"
#include "framework/io/hash.hpp"
#include "tests/framework/data/images.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

using host::ViewMaker;
using testing::HasSubstr;

const std::vector<host::Augment> kMoves = {crop(2), flip()};
const std::vector<host::Augment> kAll = {crop(2), flip(), rand_augment(), erase(0.5)};
const std::vector<int64_t> kSamples = {3, 11, 7, 0, 12, 5, 9, 1};

/// Normalised to the bytes' own numbers over 255, so that they can be had back.
ViewMaker byte_views(const host::ImageData& data, host::ViewRecipe recipe) {
  const auto channels = static_cast<size_t>(data.channels);
  host::Normalize plain;
  plain.mean.assign(channels, 0);
  plain.stddev.assign(channels, 1);
  return ViewMaker(data, plain, std::move(recipe), 1, false);
}

at::Tensor bytes_of(const at::Tensor& views) { return views.mul(255).round().to(at::kByte); }

/// Each image of a batch of bytes, resized to a square.
at::Tensor resized(const at::Tensor& images, int64_t size) {
  const at::Tensor from = images.contiguous();
  at::Tensor to = at::empty({from.size(0), from.size(1), size, size}, at::kByte);
  const host::Resizer resizer(from.size(2), from.size(3), size, size);
  host::Resizer::Scratch scratch;
  for (int64_t i = 0; i < from.size(0); ++i)
    resizer.resize(from[i].const_data_ptr<uint8_t>(), from.size(1), scratch,
                   to[i].data_ptr<uint8_t>());
  return to;
}

/// The copies at one place: [n, C, H, W].
at::Tensor copies_at(const at::Tensor& views, int64_t times, int64_t copy) {
  return views.slice(0, copy, views.size(0), times);
}

std::string hash_of(const at::Tensor& tensor) {
  return host::xxh3_128_hex(
      {static_cast<const uint8_t*>(tensor.const_data_ptr()), tensor.nbytes()});
}

// Made by the program of before there were views by name.
TEST(ViewRecipe, LeavesTheBytesOfTheDefaultViewAsTheyWere) {
  const host::ImageData data = random_images(16, 3, 12, 10);
  EXPECT_EQ(hash_of(make_views(data, kMoves).train_views(kSamples, 3)),
            "035d85918f2fde51dbdbd0a033fe08a6");
  EXPECT_EQ(hash_of(make_views(data, kAll, 7).train_views(kSamples, 4)),
            "7ad87234e984cabcbe46f380ebf8b600");
  EXPECT_EQ(
      hash_of(make_views(data, kAll, 7, at::MemoryFormat::ChannelsLast).train_views(kSamples, 4)),
      "8f76a0ffe8d58c88e93132e96fd39f29");
  EXPECT_EQ(hash_of(make_views(data, kAll).test_views(2, 9)), "ad814bdfef3f1f79bba858fc943c9bdf");
}

TEST(ViewRecipe, OfAnotherNameDrawsOtherNumbers) {
  const host::ImageData data = random_images(16, 3, 12, 12);
  const at::Tensor own = make_views(data, kMoves).train_views(kSamples, 3);
  const at::Tensor strong =
      make_maker(data, make_recipe("strong", kMoves)).train_views(kSamples, 3);
  const at::Tensor weak = make_maker(data, make_recipe("weak", kMoves)).train_views(kSamples, 3);
  int64_t alike = 0;
  for (int64_t i = 0; i < own.size(0); ++i) {
    if (own[i].equal(strong[i])) ++alike;
    if (own[i].equal(weak[i])) ++alike;
    if (weak[i].equal(strong[i])) ++alike;
  }
  EXPECT_LE(alike, 3);  // of 24, with 50 views that are possible
  EXPECT_TRUE(
      make_maker(data, make_recipe("strong", kMoves)).train_views(kSamples, 3).equal(strong));
  EXPECT_TRUE(make_maker(data, make_recipe("", kMoves)).train_views(kSamples, 3).equal(own));
}

TEST(ViewRecipe, LikeAnotherIsTheSameCropAtAnotherSize) {
  const host::ImageData data = random_images(16, 3, 12, 10);
  std::vector<host::Augment> steps = kAll;
  steps.pop_back();  // what is erased has no bytes
  for (const std::string draws_as : {"", "strong"}) {
    const ViewMaker own = byte_views(data, make_recipe(draws_as, steps));
    for (const int64_t size : {5, 12, 23}) {
      const ViewMaker like = byte_views(data, make_recipe(draws_as, steps, size));
      EXPECT_EQ(like.height(), size);
      EXPECT_EQ(like.width(), size);
      for (int64_t epoch = 0; epoch < 3; ++epoch) {
        const at::Tensor views = bytes_of(own.train_views(kSamples, epoch));
        EXPECT_TRUE(bytes_of(like.train_views(kSamples, epoch)).equal(resized(views, size)));
      }
    }
  }
}

TEST(ViewRecipe, LikeAnotherErasesTheSamePart) {
  const host::ImageData data = random_images(16, 3, 12, 12);
  const ViewMaker own = make_views(data, kAll);
  const ViewMaker like = make_maker(data, make_recipe("", kAll, 24));
  const ViewMaker last =
      make_maker(data, make_recipe("", kAll, 24), 1, at::MemoryFormat::ChannelsLast);
  int64_t erased = 0;
  for (int64_t epoch = 0; epoch < 4; ++epoch) {
    // No normalised pixel of these is 0.
    const at::Tensor blank = own.train_views(kSamples, epoch).eq(0);
    const at::Tensor large = like.train_views(kSamples, epoch);
    EXPECT_TRUE(large.eq(0).equal(blank.repeat_interleave(2, 2).repeat_interleave(2, 3)));
    EXPECT_TRUE(last.train_views(kSamples, epoch).equal(large));
    erased += blank.any().item<bool>() ? 1 : 0;
  }
  EXPECT_EQ(erased, 4);
}

TEST(ViewRecipe, OfASizeIsEvaluatedAtThatSize) {
  const host::ImageData data = random_images(16, 3, 12, 10);
  const ViewMaker own = byte_views(data, {}),
                  like = byte_views(data, make_recipe("x", kAll, 17, 3));
  EXPECT_TRUE(bytes_of(like.test_views(2, 5)).equal(resized(bytes_of(own.test_views(2, 5)), 17)));
}

TEST(ViewRecipe, OfTheDatasSizeIsNotResized) {
  const host::ImageData data = random_images(16, 3, 12, 12);
  const at::Tensor own = make_views(data, kAll).train_views(kSamples, 3);
  EXPECT_TRUE(make_maker(data, make_recipe("", kAll, 12)).train_views(kSamples, 3).equal(own));
}

TEST(ViewRecipe, MakesCopiesOfASampleOneAfterTheOther) {
  const host::ImageData data = random_images(16, 3, 12, 10);
  for (const auto& steps : {kMoves, kAll}) {
    const at::Tensor one = make_maker(data, make_recipe("x", steps)).train_views(kSamples, 3);
    const ViewMaker maker = make_maker(data, make_recipe("x", steps, 0, 3));
    const at::Tensor all = maker.train_views(kSamples, 3);
    EXPECT_EQ(maker.times(), 3);
    ASSERT_EQ(all.size(0), 24);
    EXPECT_TRUE(copies_at(all, 3, 0).equal(one));
    for (int64_t copy = 1; copy < 3; ++copy) {
      int64_t alike = 0;
      for (int64_t i = 0; i < 8; ++i) alike += all[3 * i + copy].equal(all[3 * i]) ? 1 : 0;
      EXPECT_LE(alike, 2);
    }
    const at::Tensor few = maker.train_views(std::vector<int64_t>{7, 3}, 3);
    EXPECT_TRUE(few.narrow(0, 3, 3).equal(all.narrow(0, 0, 3)));
  }
}

TEST(ViewRecipe, WithoutStepsCopiesTheImage) {
  const host::ImageData data = random_images(4, 1, 3, 3);
  const at::Tensor all =
      make_maker(data, make_recipe("x", {}, 0, 2)).train_views(std::vector<int64_t>{2, 1}, 0);
  for (int64_t row = 0; row < 4; ++row)
    EXPECT_TRUE(all[row].equal(normalized(fetch_pixels(data, row < 2 ? 2 : 1))));
}

TEST(Rotations, TurnEachCopyByAQuarterMore) {
  const host::ImageData data = random_images(16, 3, 12, 12);
  std::vector<host::Augment> steps = kMoves;
  const at::Tensor one = make_maker(data, make_recipe("x", steps)).train_views(kSamples, 3);
  steps.push_back(rotations());
  const at::Tensor all = make_maker(data, make_recipe("x", steps, 0, 5)).train_views(kSamples, 3);
  for (int64_t copy = 0; copy < 5; ++copy)
    EXPECT_TRUE(copies_at(all, 5, copy).equal(at::rot90(one, copy, {2, 3}))) << copy;
}

/// The steps before them are turned, those behind are not.
TEST(Rotations, StandAtTheirPlace) {
  const host::ImageData data = random_images(16, 1, 12, 12);
  const host::StoredSplit turned_split = {
      at::rot90(random_split(16, 1, 12, 12).images, 1, {2, 3}).contiguous(),
      random_split(16, 1, 12, 12).labels};
  const host::ImageData turned = make_images(turned_split);
  // The crop's draw is that of step 1 in both.
  const at::Tensor all =
      make_maker(data, make_recipe("x", {rotations(), crop(3)}, 0, 2)).train_views(kSamples, 3);
  const at::Tensor wanted =
      make_maker(turned, make_recipe("x", {crop(0), crop(3)})).train_views(kSamples, 3);
  EXPECT_TRUE(copies_at(all, 2, 1).equal(wanted));
  EXPECT_FALSE(copies_at(all, 2, 0).equal(wanted));
}

TEST(Rotations, ShareTheDrawsOfAllSteps) {
  const host::ImageData data = random_images(16, 3, 12, 12);
  const at::Tensor all =
      make_maker(data, make_recipe("x", {rand_augment(), rotations(), erase(1)}, 20, 2))
          .train_views(kSamples, 3);
  const at::Tensor first = copies_at(all, 2, 0), second = copies_at(all, 2, 1);
  const at::Tensor blank = first.eq(0);
  EXPECT_TRUE(second.eq(0).equal(blank));
  EXPECT_TRUE(blank.any().item<bool>());
  const ViewMaker plain = make_maker(data, make_recipe("x", {rand_augment()}));
  const at::Tensor views = plain.train_views(kSamples, 3);
  const ViewMaker turned = make_maker(data, make_recipe("x", {rand_augment(), rotations()}, 0, 2));
  EXPECT_TRUE(copies_at(turned.train_views(kSamples, 3), 2, 1).equal(at::rot90(views, 1, {2, 3})));
}

TEST(Rotations, AreRefusedForImagesThatAreNotSquare) {
  const host::ImageData data = random_images(1, 1, 4, 6);
  EXPECT_THAT(
      message_of<host::ConfigError>([&] {
        make_maker(data, make_recipe("x", {flip(), rotations()}, 8, 4));
      }),
      HasSubstr("data.views.other.augment[1]: rotations is defined for square images; those "
                "of random are 4 x 6; take it out of the list"));
}

}  // namespace
}  // namespace retort::test
