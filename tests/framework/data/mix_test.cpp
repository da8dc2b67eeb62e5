#include "framework/data/mix.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "framework/data/loader.hpp"
#include "tests/framework/data/images.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

using host::Mix;
using host::MixConfig;

constexpr int64_t kDraws = 20000;

Mix draw(const MixConfig& config, int64_t batch, int64_t height = 32, int64_t width = 32) {
  return host::draw_mix(config, 1, 0, batch, height, width);
}

/// For X from Beta(alpha, alpha), max(X, 1 - X) - 1/2 = |X - 1/2|, whose mean square is X's
/// variance, 1 / (4 (2 alpha + 1)).
void expect_beta(double alpha) {
  double squares = 0, fourth = 0, sum = 0;
  for (int64_t i = 0; i < kDraws; ++i) {
    const double lambda = draw({alpha, 0}, i).lambda, off = (lambda - 0.5) * (lambda - 0.5);
    ASSERT_GE(lambda, 0.5);
    ASSERT_LE(lambda, 1);
    sum += lambda, squares += off, fourth += off * off;
  }
  const double variance = squares / kDraws;
  const double error = std::sqrt((fourth / kDraws - variance * variance) / kDraws);
  EXPECT_NEAR(variance, 1 / (4 * (2 * alpha + 1)), kStandardErrors * error) << alpha;
  // E|X - 1/2| = 4^-alpha / (alpha B(alpha, alpha)), the mean absolute deviation of Beta.
  const double beta = std::exp(2 * std::lgamma(alpha) - std::lgamma(2 * alpha));
  const double deviation = std::pow(4, -alpha) / (alpha * beta);
  const double mean_error = std::sqrt((variance - deviation * deviation) / kDraws);
  EXPECT_NEAR(sum / kDraws - 0.5, deviation, kStandardErrors * mean_error) << alpha;
}

TEST(Mixup, DrawsLambdaFromTheUpperHalfOfBeta) {
  expect_beta(0.2);
  expect_beta(1);
  expect_beta(3);
}

TEST(Mixup, DrawsFiniteNumbersForAnAlphaNearZero) {
  for (int64_t i = 0; i < 100; ++i) EXPECT_GE(draw({1e-6, 0}, i).lambda, 0.5);
}

TEST(Cutmix, GivesLambdaByTheAreaOfTheBoxAsItWasCutOff) {
  for (int64_t i = 0; i < 2000; ++i) {
    const Mix mix = draw({0, 1}, i, 32, 20);
    ASSERT_GE(mix.box.top, 0);
    ASSERT_GE(mix.box.left, 0);
    ASSERT_LE(mix.box.top + mix.box.height, 32);
    ASSERT_LE(mix.box.left + mix.box.width, 20);
    EXPECT_EQ(mix.lambda, 1 - static_cast<double>(mix.box.area()) / (32 * 20));
  }
}

/// A box that the border did not cut off is 1 - l of the image, with l uniform where alpha is 1; its
/// sides are cut to even numbers of 1000.
TEST(Cutmix, DrawsBoxesOfTheAreaThatLambdaLeaves) {
  double inside = 0, large = 0;
  for (int64_t i = 0; i < kDraws; ++i) {
    const host::Box box = draw({0, 1}, i, 1000, 1000).box;
    ASSERT_LE(box.height, 1000);
    if (box.height != box.width) continue;  // cut off on one side at least, but for chance
    ++inside;
    if (box.area() > 250000) ++large;
  }
  // P(inside) = E (1 - s)^2 with s^2 uniform = 1/6; P(s > 1/2, inside) = 5/96; together 5/16.
  // Whole pixels, and sides cut off alike by chance, move either by some thousandths.
  constexpr double kPixels = 0.004;
  EXPECT_NEAR(inside / kDraws, 1.0 / 6, kStandardErrors * std::sqrt(5.0 / 36 / kDraws) + kPixels);
  EXPECT_NEAR(large / inside, 5.0 / 16,
              kStandardErrors * std::sqrt(5.0 / 16 * 11 / 16 / inside) + kPixels);
}

TEST(Mix, PicksOneOfTwoByACoin) {
  int64_t mixup = 0;
  for (int64_t i = 0; i < kDraws; ++i) {
    const Mix mix = draw({0.2, 1}, i);
    ASSERT_NE(mix.kind, Mix::Kind::None);
    if (mix.kind == Mix::Kind::Mixup) ++mixup;
  }
  EXPECT_NEAR(static_cast<double>(mixup), kDraws / 2.0, kStandardErrors * std::sqrt(kDraws / 4.0));
}

TEST(Mix, PicksTheOnlyOneAskedForOrNone) {
  for (int64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(draw({0.2, 0}, i).kind, Mix::Kind::Mixup);
    EXPECT_EQ(draw({0, 1}, i).kind, Mix::Kind::Cutmix);
    EXPECT_EQ(draw({0, 0}, i).kind, Mix::Kind::None);
  }
}

TEST(Mix, DiffersByBatchEpochAndSeed) {
  const MixConfig config = {1, 0};
  const double here = host::draw_mix(config, 1, 0, 0, 8, 8).lambda;
  EXPECT_EQ(host::draw_mix(config, 1, 0, 0, 8, 8).lambda, here);
  EXPECT_NE(host::draw_mix(config, 1, 0, 1, 8, 8).lambda, here);
  EXPECT_NE(host::draw_mix(config, 1, 1, 0, 8, 8).lambda, here);
  EXPECT_NE(host::draw_mix(config, 2, 0, 0, 8, 8).lambda, here);
}

constexpr const char* kTeacherField = "image@teacher";

at::Tensor student_images(const host::Batch& batch) { return batch.at(host::kImageField); }
at::Tensor teacher_images(const host::Batch& batch) { return batch.at(kTeacherField); }
at::Tensor indices(const host::Batch& batch) { return batch.at(host::kIndexField); }
at::Tensor mixed_labels(const host::Batch& batch) { return batch.at(host::kMixedLabelField); }

/// 64 images in four batches; the teacher normalises otherwise.
struct Fixture {
  explicit Fixture(const MixConfig& config)
      : loader(data, sampler, {{host::kImageField, &views}, {kTeacherField, &teacher}}, 1, config) {
  }

  host::Batch batch(int64_t epoch, int64_t number) {
    loader.start_epoch(epoch, number);
    return *loader.next();
  }

  host::ImageData data = random_images(64, 3, 8, 6);
  host::ViewMaker views = make_views(data, {crop(1), flip()}, 1, at::MemoryFormat::ChannelsLast);
  host::ViewMaker teacher{data, {{0, 0, 0}, {1, 1, 1}}, {{crop(1), flip()}}, 1, true};
  host::Sampler sampler{data.trained_samples(), 16, 1};
  host::Loader loader;
};

/// The views that a batch would show unmixed.
at::Tensor unmixed(const Fixture& f, const host::Batch& batch, int64_t epoch) {
  const at::Tensor samples = indices(batch);
  return f.views.train_views(
      {samples.const_data_ptr<int64_t>(), static_cast<size_t>(samples.numel())}, epoch);
}

TEST(Mixup, AddsTheNeighbourAndNamesItsLabel) {
  Fixture f({1, 0});
  const host::Batch batch = f.batch(2, 1);
  const at::Tensor own = unmixed(f, batch, 2);
  const at::Tensor wanted = own.mul(batch.share).add(own.roll(1, 0), 1 - batch.share);
  EXPECT_LT(batch.share, 1);
  EXPECT_TRUE(student_images(batch).allclose(wanted));
  EXPECT_TRUE(batch.at(host::kLabelField).equal(indices(batch).remainder(10)));
  EXPECT_TRUE(mixed_labels(batch).equal(indices(batch).roll(1).remainder(10)));
  EXPECT_FALSE(batch.addressable());
}

TEST(Cutmix, PastesTheNeighboursBoxAndNamesItsLabel) {
  Fixture f({0, 1});
  const host::Batch batch = f.batch(0, 2);
  const at::Tensor own = unmixed(f, batch, 0), other = own.roll(1, 0);
  const host::Box box = host::draw_mix({0, 1}, 1, 0, 2, 8, 6).box;
  ASSERT_GT(box.area(), 0);
  at::Tensor wanted = own.clone();
  const auto part = [&](const at::Tensor& images) {
    return images.narrow(2, box.top, box.height).narrow(3, box.left, box.width);
  };
  part(wanted).copy_(part(other));
  EXPECT_TRUE(student_images(batch).equal(wanted));
  EXPECT_TRUE(mixed_labels(batch).equal(indices(batch).roll(1).remainder(10)));
}

TEST(Mix, ShowsTheTeacherTheSameMixture) {
  for (const MixConfig& config : {MixConfig{1, 0}, MixConfig{0, 1}}) {
    Fixture f(config);
    const host::Batch batch = f.batch(0, 0);
    EXPECT_TRUE(
        student_images(batch).mul(0.5).add(0.25).allclose(teacher_images(batch), 1e-5, 1e-6));
  }
}

TEST(Mix, MixesATensorThatBothShareOnce) {
  Fixture f({1, 0});
  host::Loader shared(f.data, f.sampler, {{host::kImageField, &f.views}, {kTeacherField, &f.views}},
                      1, {1, 0});
  shared.start_epoch(0);
  const auto both = shared.next();
  EXPECT_TRUE(teacher_images(*both).is_same(student_images(*both)));
  EXPECT_TRUE(student_images(*both).equal(student_images(f.batch(0, 0))));
}

/// Each copy with the copy of the neighbour at the same place.
TEST(Mix, MixesCopiesWithTheSameCopiesOfTheNeighbour) {
  for (const MixConfig& config : {MixConfig{1, 0}, MixConfig{0, 1}}) {
    Fixture f(config);
    const host::ViewMaker copies = make_maker(f.data, make_recipe("x", {crop(1), flip()}, 0, 3), 1,
                                              at::MemoryFormat::ChannelsLast);
    host::Loader loader(f.data, f.sampler, {{host::kImageField, &f.views}, {"copies", &copies}}, 1,
                        config);
    loader.start_epoch(0);
    const auto batch = loader.next();
    ASSERT_TRUE(batch);
    EXPECT_TRUE(student_images(*batch).equal(student_images(f.batch(0, 0))));
    const at::Tensor samples = indices(*batch);
    const at::Tensor own = copies.train_views({samples.const_data_ptr<int64_t>(), 16}, 0);
    const at::Tensor other = own.roll(3, 0);
    at::Tensor wanted = own.mul(batch->share).add(other, 1 - batch->share);
    if (config.cutmix > 0) {
      const host::Box box = host::draw_mix(config, 1, 0, 0, 8, 6).box;
      const auto part = [&](const at::Tensor& images) {
        return images.narrow(2, box.top, box.height).narrow(3, box.left, box.width);
      };
      wanted = own.clone();
      part(wanted).copy_(part(other));
    }
    EXPECT_TRUE(batch->at("copies").allclose(wanted));
    EXPECT_TRUE(mixed_labels(*batch).equal(indices(*batch).roll(1).remainder(10)));
  }
}

TEST(Mix, GivesTheSameBatchTwice) {
  Fixture f({0.2, 1});
  for (int64_t number = 0; number < 4; ++number) {
    const host::Batch first = f.batch(1, number), second = f.batch(1, number);
    EXPECT_TRUE(student_images(first).equal(student_images(second)));
    EXPECT_TRUE(mixed_labels(first).equal(mixed_labels(second)));
    EXPECT_EQ(first.share, second.share);
  }
}

TEST(Mix, LeavesABatchAddressableWhereNothingIsMixed) {
  Fixture f({0, 0});
  const host::Batch batch = f.batch(0, 0);
  EXPECT_TRUE(batch.addressable());
  EXPECT_EQ(batch.share, 1);
  EXPECT_TRUE(student_images(batch).equal(unmixed(f, batch, 0)));
}

}  // namespace
}  // namespace retort::test
