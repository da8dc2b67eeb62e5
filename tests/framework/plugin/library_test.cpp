#include "framework/plugin/library.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "framework/guard/floating_point.hpp"
#include "framework/plugin/instance.hpp"
#include "framework/plugin/trial_load.hpp"
#include "tests/broken_plugins/options.h"
#include "tests/framework/plugin/zoo.hpp"

namespace retort::host {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const retort_host& bare_host() {
  static const retort_host host = [] {
    retort_host made = {};
    made.struct_size = sizeof made;
    return made;
  }();
  return host;
}

std::shared_ptr<Library> open_good() { return Library::open(zoo("good"), &bare_host()); }

std::string refusal_of(const std::string& name) {
  return refusal([&] { Library::open(zoo(name), &bare_host()); });
}

const test_options_interface& options_of(const Instance& instance) {
  return instance.interface<test_options_interface>(TEST_OPTIONS_INTERFACE);
}

std::vector<OptionValue> some_options(double scale) {
  return {scale, std::string("/data/store"), int64_t{0}, true};
}

TEST(Library, IsLoadedAndAttachedOncePerFile) {
  const auto library = open_good();
  EXPECT_EQ(library, open_good());
  EXPECT_EQ(library, Library::open(zoo("good").parent_path() / "../zoo/good.retort", &bare_host()));
  const Instance instance(library, library->components().front(), some_options(2));
  EXPECT_EQ(options_of(instance).attached(), 1);
}

TEST(Library, LoadModeIsNowLocalAndNeverUnloads) {
  EXPECT_EQ(static_cast<int>(plugin_load_mode()), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  const std::filesystem::path file = zoo("refuses");  // its Library does not survive attach()
  EXPECT_NE(refusal_of("refuses"), "");
  EXPECT_NE(::dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD), nullptr);
  EXPECT_EQ(::dlsym(RTLD_DEFAULT, RETORT_ENTRY_SYMBOL), nullptr);
}

TEST(Library, RefusesOneThatThrowsWhileLoading) {
  EXPECT_EQ(refusal_of("throws"), zoo("throws").string() +
                                      ": throws while it is loaded (no licence on this machine); "
                                      "correct its static constructors and libraries, or remove "
                                      "the file");
}

TEST(Library, RefusesOneThatCrashesWhileLoading) {
  EXPECT_THAT(refusal_of("crashes"), HasSubstr("crashed while it was loaded (Segmentation fault)"));
}

TEST(Library, RefusesOneThatEndsTheProcessWhileLoading) {
  EXPECT_THAT(refusal_of("exits"), HasSubstr("calls exit() while it is loaded"));
  EXPECT_THAT(refusal_of("ends"), HasSubstr("ended the process while it was loaded (exit code 0)"));
}

TEST(Library, RefusesOneThatHangsWhileLoading) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(refusal([] { trial_load(zoo("hangs"), std::chrono::milliseconds(100)); }),
              HasSubstr("hangs while it is loaded: no answer within 100 ms"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Library, ShowsWhatOneSaysBeforeItEndsTheProcess) {
  EXPECT_THAT(refusal_of("complains"),
              HasSubstr("ended the process while it was loaded (exit code 3) and said "
                        "\"no licence\"; correct its static"));
}

TEST(Library, LeavesTheFloatingPointStateAsItWas) {
  const FloatingPoint before = floating_point();
  EXPECT_EQ(refusal_of("rounds"), "");
  EXPECT_EQ(difference_between(before, floating_point()), "");
}

TEST(Library, RefusesOneThatNeedsASymbolOfNobody) {
  EXPECT_THAT(
      refusal_of("unresolved"),
      HasSubstr(": cannot be loaded (undefined symbol: function_of_nobody); correct its static"));
}

TEST(Library, RefusesATableUnlikeItsManifest) {
  EXPECT_THAT(refusal_of("table_id"),
              AllOf(StartsWith(zoo("table_id").string() + ": retort_plugin_v1.components[0] is "),
                    HasSubstr("\"test.other\" of kind 1, its manifest says \"test.table_id\"")));
  EXPECT_THAT(refusal_of("table_abi"), HasSubstr(host::abi_mismatch(3, RETORT_ABI_MINOR)));
}

TEST(Library, RefusesOneThatRefusesTheHost) {
  EXPECT_THAT(refusal_of("refuses"), HasSubstr("refused this host in attach() (no such operator)"));
}

TEST(Library, LoadsGoodOnesAfterBrokenOnes) {
  for (const char* name : {"throws", "crashes", "exits", "table_id", "exports"})
    EXPECT_NE(refusal_of(name), "") << name;
  EXPECT_EQ(refusal([] { open_good(); }), "");
}

TEST(Library, TriesPluginsWhileOtherThreadsRun) {
  std::atomic<bool> stop = false;
  std::thread busy([&stop] {
    while (!stop) std::vector<char>(100000).resize(200000);  // holds malloc's lock often
  });
  for (int round = 0; round < 20; ++round) EXPECT_EQ(refusal([] { trial_load(zoo("good")); }), "");
  stop = true;
  busy.join();
}

TEST(Instance, SetsEveryOptionAndKeepsTheTexts) {
  const auto library = open_good();
  std::vector<OptionValue> options = some_options(2.5);
  const Instance instance(library, library->components().front(), options);
  options.clear();
  const test_values& values = *options_of(instance).values(instance.self());
  EXPECT_EQ(values.scale, 2.5);
  EXPECT_STREQ(values.path, "/data/store");
  EXPECT_EQ(values.mode, 0);
  EXPECT_EQ(values.loud, 1);
}

TEST(Instance, IsDestroyedAtItsEndAndAfterARefusedOption) {
  const auto library = open_good();
  const Instance witness(library, library->components().front(), some_options(2));
  const int64_t before = options_of(witness).living();
  { const Instance instance(library, library->components().front(), some_options(2)); }
  EXPECT_EQ(options_of(witness).living(), before);
  EXPECT_THROW(Instance(library, library->components().front(), some_options(9.2)), ConfigError);
  EXPECT_EQ(options_of(witness).living(), before);
}

TEST(Instance, NamesPluginFunctionAndOptionWhenOneFails) {
  const auto library = open_good();
  EXPECT_EQ(refusal([&] { Instance(library, library->components().front(), some_options(9.8)); }),
            "test.good 1.2.3 (" + zoo("good").string() +
                ") threw in set_option(), scale: scale is above 9");
}

TEST(Instance, RefusesAMissingOrShorterInterface) {
  const auto library = open_good();
  const Instance instance(library, library->components().front(), some_options(2));
  EXPECT_FALSE(instance.has_interface("test.none/0"));
  EXPECT_THAT(refusal([&] { instance.interface<test_options_interface>("test.none/0"); }),
              HasSubstr("has no interface test.none/0, "));
  EXPECT_THAT(
      refusal([&] { instance.interface<test_options_interface>(TEST_OPTIONS_INTERFACE, 4096); }),
      AllOf(HasSubstr("has 32 bytes of interface test.options/0, 4096 bytes are wanted"),
            EndsWith("rebuild it with this host's SDK")));
}

TEST(Instance, RefusesValuesOfAnotherType) {
  const auto library = open_good();
  std::vector<OptionValue> options = some_options(2);
  options[0] = true;
  EXPECT_THROW(Instance(library, library->components().front(), options), ConfigError);
  options.pop_back();
  EXPECT_THROW(Instance(library, library->components().front(), options), ConfigError);
}

TEST(Instance, RefusesOptionsThatWereReadByAnotherManifest) {
  const auto library = open_good();
  ComponentInfo info = library->components().front();
  info.options.front().name = "gain";
  EXPECT_THAT(refusal([&] { Instance(library, info, some_options(2)); }),
              HasSubstr("was replaced while this program ran"));
  std::swap(info.options[0], info.options[1]);
  EXPECT_THROW(Instance(library, info, some_options(2)), PluginError);
}

TEST(Instance, MapsErrorCodesToTheHostsErrors) {
  const ComponentInfo info = open_good()->components().front();
  retort_error error = empty_error();
  std::strcpy(error.message, "images.gz is missing");
  EXPECT_THROW(throw_plugin_error(info, "open()", RETORT_BAD_DATA, error), DataError);
  EXPECT_THROW(throw_plugin_error(info, "setup()", RETORT_BAD_SHAPE, error), ShapeError);
  EXPECT_THROW(throw_plugin_error(info, "loss(), step 3", RETORT_FAILED, error), PluginError);
  std::memset(error.message, 'x', sizeof error.message);  // no end within the array
  EXPECT_THAT(refusal([&] { throw_plugin_error(info, "loss()", RETORT_FAILED, error); }),
              EndsWith(std::string(sizeof error.message, 'x')));
}

}  // namespace
}  // namespace retort::host
