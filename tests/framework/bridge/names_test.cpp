// Names and shapes of the taps and metrics that a plugin publishes.
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include "tests/framework/bridge/door_rig.hpp"

namespace retort::test {
namespace {

using host::PluginFunction;
using testing::HasSubstr;

/// What is said of a metric of that name; "" where it is taken.
std::string refused_metric(const char* name, PluginFunction function = PluginFunction::Loss) {
  InPlugin plugin(function);
  host::MetricSink sink;
  plugin.scope.metrics = &sink;
  return message_of<retort::Error>(
      [&] { detail::check(host::host_table().log(name, &Value(1.0).value(), nullptr)); });
}

TEST(Metrics, HaveNamesThatCanBeShown) {
  EXPECT_THAT(refused_metric(""), HasSubstr("a metric without a name"));
  for (const char* name : {"a\nb", "\x1b[31m", "\xff", "a\xe2\x80\xae"})
    EXPECT_THAT(refused_metric(name), HasSubstr("has a name with control characters")) << name;
  EXPECT_EQ(refused_metric("loss/part 1"), "");
}

TEST(Metrics, HaveNamesOfMoreThanDotsAndSpaces) {
  for (const char* name : {".", "..", " ", ". ."})
    EXPECT_THAT(refused_metric(name), HasSubstr("has a name of dots and spaces alone")) << name;
  EXPECT_EQ(refused_metric(".a"), "");
}

TEST(Metrics, AreLoggedInLossAndAfterBackwardAlone) {
  EXPECT_EQ(refused_metric("share", PluginFunction::AfterBackward), "");
  for (const PluginFunction function : {PluginFunction::Build, PluginFunction::Forward,
                                        PluginFunction::Setup, PluginFunction::Data})
    EXPECT_THAT(refused_metric("share", function), HasSubstr("a metric is logged in"));
}

/// What is said of taps published one after another in a forward pass of 4 samples.
std::string refused_taps(const std::vector<std::pair<const char*, at::Tensor>>& published,
                         PluginFunction function = PluginFunction::Forward) {
  InPlugin plugin(function);
  host::Taps taps;
  taps.expect_batch(4);
  plugin.scope.taps = &taps;
  return message_of<retort::Error>([&] {
    for (const auto& [name, tensor] : published) {
      const retort_value value = host::borrowed_value(tensor);
      detail::check(host::host_table().publish(name, &value, nullptr));
    }
  });
}

TEST(Taps, HaveNamesOfTheirOwn) {
  const at::Tensor x = at::ones({4, 2});
  EXPECT_EQ(refused_taps({{"stem", x}, {"layer1", x}, {"block1.conv", x}}), "");
  EXPECT_THAT(refused_taps({{"stem", x}, {"stem", x}}), HasSubstr("\"stem\" is published twice"));
  for (const char* name : {"logits", "stages", "last_map", "stages.preact", "last_map.preact"})
    EXPECT_THAT(refused_taps({{name, x}}), HasSubstr("a name that the host gives a meaning"));
  for (const char* name : {"", "a\nb", "\xff", "..", " "})
    EXPECT_NE(refused_taps({{name, x}}), "") << name;
}

TEST(Taps, HaveTheBatchAsTheirFirstDimension) {
  EXPECT_THAT(refused_taps({{"stem", at::ones({2, 4})}}),
              HasSubstr("its first dimension must be the batch, here 4"));
  EXPECT_THAT(refused_taps({{"stem", at::ones({})}}), HasSubstr("shape []"));
}

TEST(Taps, ArePublishedInAForwardPassAlone) {
  EXPECT_THAT(refused_taps({{"stem", at::ones({4})}}, PluginFunction::Loss),
              HasSubstr("a tap is published in loss(); publish it in Model::forward"));
}

}  // namespace
}  // namespace retort::test
