#include <cmath>
#include <limits>
#include <tuple>

#include "framework/bridge/door.hpp"
#include "framework/plugin/elf_file.hpp"
#include "framework/plugin/instance.hpp"
#include "tests/sdk/conformance.hpp"

namespace retort::test {
namespace {

class Component : public testing::TestWithParam<host::ComponentInfo> {
 protected:
  std::shared_ptr<host::Library> library() const {
    return host::Library::open(GetParam().file, &host::host_table());
  }
  host::Instance create(const std::vector<host::OptionValue>& options) const {
    return host::Instance(library(), GetParam(), options);
  }
  std::vector<host::OptionValue> defaults() const {
    std::vector<host::OptionValue> values;
    for (const host::OptionInfo& option : GetParam().options)
      values.push_back(default_value(option));
    return values;
  }
};

/// The lowest or highest value that an option of a number takes.
host::OptionValue bound(const host::OptionInfo& option, bool upper) {
  const double at = upper ? option.max : option.min;
  const bool open = option.flags & (upper ? RETORT_OPTION_MAX_OPEN : RETORT_OPTION_MIN_OPEN);
  if (option.type == RETORT_OPTION_INT)
    return static_cast<int64_t>(at) + (open ? (upper ? -1 : 1) : 0);
  constexpr double kEndless = std::numeric_limits<double>::infinity();
  return open ? std::nextafter(at, upper ? -kEndless : kEndless) : at;
}

/// Its default, both bounds, both truths, every choice.
std::vector<host::OptionValue> values_to_try(const host::OptionInfo& option) {
  std::vector<host::OptionValue> values;
  values.push_back(default_value(option));
  if (option.flags & RETORT_OPTION_HAS_MIN) values.push_back(bound(option, false));
  if (option.flags & RETORT_OPTION_HAS_MAX) values.push_back(bound(option, true));
  if (option.type == RETORT_OPTION_BOOL) {
    values.emplace_back(false);
    values.emplace_back(true);
  }
  for (size_t i = 0; i < option.choices.size(); ++i) values.emplace_back(static_cast<int64_t>(i));
  return values;
}

TEST(BuiltPlugins, AreAllFoundAndNoneIsRefused) {
  EXPECT_FALSE(built_plugins().components().empty());
  for (const std::string& problem : built_plugins().problems()) ADD_FAILURE() << problem;
}

// Library::open compares table and manifest; what it refuses is tested with tests/broken_plugins.
TEST_P(Component, LoadsAndHasTheTableOfItsManifest) {
  const auto loaded = library();
  const retort_component& table = loaded->component(GetParam().position);
  EXPECT_EQ(table.id, GetParam().id);
  EXPECT_FALSE(GetParam().summary.empty());
  EXPECT_FALSE(GetParam().licence.empty());
}

TEST_P(Component, TakesEveryOptionAtItsDefaultAndItsBounds) {
  for (size_t i = 0; i < GetParam().options.size(); ++i) {
    for (const host::OptionValue& value : values_to_try(GetParam().options[i])) {
      std::vector<host::OptionValue> options = defaults();
      options[i] = value;
      EXPECT_NO_THROW(create(options)) << GetParam().options[i].name;
    }
  }
}

TEST_P(Component, RefusesAnOptionThatItDoesNotHave) {
  const host::Instance instance = create(defaults());
  const retort_component& table = library()->component(GetParam().position);
  const auto index = static_cast<uint32_t>(GetParam().options.size());
  const retort_value value{};
  retort_error error = host::empty_error();
  EXPECT_EQ(table.set_option(instance.self(), index, &value, &error), RETORT_BAD_CONFIG);
  EXPECT_EQ(error.message, "there is no option number " + std::to_string(index));
}

TEST_P(Component, LeavesNothingBehindWhenDestroyed) {
  const auto round = [this] {
    for (int i = 0; i < 100; ++i) create(defaults());
  };
  round();
  const int64_t before = bytes_in_use();
  round();
  EXPECT_LT(bytes_in_use() - before, 800) << "bytes over 100 objects";
}

#if defined(__GNUC__) && __GNUC__ == 12 && !defined(__clang__)
// What docs/binary_contract.md says the files need; a newer compiler asks for newer libraries.
TEST_P(Component, NeedsNoNewerSystemThanStated) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "what a sanitizer adds needs newer libraries";
#endif
  const bool is_dataset = GetParam().kind == RETORT_KIND_DATASET;  // <filesystem> and containers
  const std::map<std::string, std::vector<int>> newest = {{"GLIBCXX", {3, 4, is_dataset ? 29 : 21}},
                                                          {"GLIBC", {2, 14}},
                                                          {"CXXABI", {1, 3, 9}},
                                                          {"GCC", {3, 0}}};
  for (const auto& [library, version] : host::ElfFile(GetParam().file).version_needs()) {
    const size_t underscore = version.rfind('_');
    std::vector<int> found;
    for (size_t at = underscore; at != std::string::npos; at = version.find('.', at + 1))
      found.push_back(std::stoi(version.substr(at + 1)));
    const auto limit = newest.find(version.substr(0, underscore));
    ASSERT_NE(limit, newest.end()) << library << " " << version;
    EXPECT_LE(found, limit->second) << library << " " << version;
  }
}
#endif

INSTANTIATE_TEST_SUITE_P(Built, Component, testing::ValuesIn(built_plugins().components()),
                         name_of);

}  // namespace
}  // namespace retort::test
