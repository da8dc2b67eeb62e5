#include "framework/train/chance.hpp"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "framework/base/random.hpp"

namespace retort::test {
namespace {

/// A test split and what a network makes of it: class by class as `predict` says, with `hits` of 100
/// predictions made right and the rest as they are.
struct Judged {
  Judged(int64_t samples, int64_t classes,
         const std::function<int64_t(int64_t, int64_t)>& predict) {
    std::vector<int64_t> labels;
    evaluation.samples = samples;
    evaluation.class_count = classes;
    for (int64_t i = 0; i < samples; ++i) {
      labels.push_back(i % classes);
      const int64_t predicted = predict(i, labels.back());
      evaluation.top1_correct += predicted == labels.back() ? 1 : 0;
      evaluation.predictions.push_back(
          static_cast<decltype(evaluation.predictions)::value_type>(predicted));
    }
    wanted = at::tensor(labels);
  }
  bool guessing() const { return host::may_be_guessing(evaluation, wanted); }

  host::Evaluation evaluation;
  at::Tensor wanted;
};

/// Number `at` of a row of random numbers in [0, most).
int64_t draw(int64_t at, int64_t most, uint64_t seed = 1) {
  int64_t number = 0;
  host::Philox(host::combine_key(seed, "chance", static_cast<uint64_t>(at)))
      .integers(&number, 1, 0, most);
  return number;
}

TEST(Chance, IsWhatRandomPredictionsGive) {
  int warned = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    warned +=
        Judged(64, 10, [&](int64_t i, int64_t) { return draw(i, 10, seed); }).guessing() ? 1 : 0;
  }
  EXPECT_GE(warned, 97);
}

TEST(Chance, IsNamingOneClassHoweverOftenItIsRight) {
  EXPECT_TRUE(Judged(500, 10, [](int64_t, int64_t) { return 3; }).guessing());
  Judged imbalanced(500, 10, [](int64_t, int64_t) { return 0; });
  for (int64_t i = 0; i < 475; ++i) imbalanced.wanted.data_ptr<int64_t>()[i] = 0;
  imbalanced.evaluation.top1_correct = 477;
  EXPECT_TRUE(imbalanced.guessing());
}

TEST(Chance, IsTellingClassesApartAndNamingThemWrongly) {
  const auto shifted = [](int64_t, int64_t label) { return label < 2 ? label : (label + 1) % 10; };
  EXPECT_TRUE(Judged(512, 10, shifted).guessing());  // right for 2 of 10 classes
}

TEST(Chance, IsNotWhatAWeakNetworkGives) {
  for (const int64_t samples : {64, 500, 10000}) {
    // 30 % right, the others anywhere.
    const auto weak = [](int64_t i, int64_t label) {
      return draw(i, 100, 7) < 23 ? label : draw(i, 10);
    };
    EXPECT_FALSE(Judged(samples, 10, weak).guessing()) << samples;
  }
  const auto barely = [](int64_t i, int64_t label) {
    return draw(i, 100, 7) < 6 ? label : draw(i, 10);
  };
  EXPECT_FALSE(Judged(10000, 10, barely).guessing());  // 15 %
  EXPECT_FALSE(Judged(500, 2, [](int64_t i, int64_t label) {
                 return draw(i, 10, 7) < 3 ? label : draw(i, 2);
               }).guessing());
}

TEST(Chance, IsNotFindingTheRareClass) {
  // 90 % of the labels are 0. The network is right for 85 % in all, fewer than by naming 0 alone, but
  // finds nine of ten of the others.
  Judged rare(1000, 2, [](int64_t, int64_t) { return 0; });
  auto* labels = rare.wanted.data_ptr<int64_t>();
  rare.evaluation.top1_correct = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    labels[i] = i < 900 ? 0 : 1;
    const bool right = i < 900 ? i % 20 < 17 : i % 10 < 9;
    rare.evaluation.predictions[static_cast<size_t>(i)] =
        static_cast<decltype(rare.evaluation.predictions)::value_type>(right ? labels[i]
                                                                             : 1 - labels[i]);
    rare.evaluation.top1_correct += right ? 1 : 0;
  }
  EXPECT_FALSE(rare.guessing());
}

TEST(Chance, CannotBeTalkedOfWithoutChoice) {
  EXPECT_FALSE(Judged(100, 1, [](int64_t, int64_t) { return 0; }).guessing());
  EXPECT_FALSE(Judged(2, 2, [](int64_t, int64_t label) { return label; }).guessing());
  EXPECT_FALSE(Judged(1, 10, [](int64_t, int64_t) { return 4; }).guessing());
}

}  // namespace
}  // namespace retort::test
