#include "framework/base/suggest.hpp"

#include <gtest/gtest.h>

namespace retort::host {
namespace {

TEST(EditDistance, CountsInsertDeleteReplaceAndSwapAsOne) {
  EXPECT_EQ(edit_distance("width", "width", 3), 0u);
  EXPECT_EQ(edit_distance("widt", "width", 3), 1u);
  EXPECT_EQ(edit_distance("wwidth", "width", 3), 1u);
  EXPECT_EQ(edit_distance("wodth", "width", 3), 1u);
  EXPECT_EQ(edit_distance("widht", "width", 3), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting", 3), 3u);
}

TEST(EditDistance, StopsAboveTheLimit) {
  EXPECT_EQ(edit_distance("kitten", "sitting", 2), 3u);
  EXPECT_EQ(edit_distance(std::string(100000, 'a'), "b", 2), 3u);
  EXPECT_EQ(edit_distance("", "", 0), 0u);
}

TEST(Nearest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(nearest("logits.dk", {"feature.at", "logits.dkd"}), "logits.dkd");
  EXPECT_EQ(nearest("ResNet", {"convnet", "resnet"}), "resnet");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest("temperature", {"depth", "width"}), "");
  EXPECT_EQ(nearest("x", {"y"}), "");
  EXPECT_EQ(nearest("width", {}), "");
}

}  // namespace
}  // namespace retort::host
