// What a plugin may leave changed of the process and of the processor, and how it is put back.
#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cfenv>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "framework/guard/plugin_entry.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Collects what is logged while it lives.
class Log {
 public:
  Log() : before_(spdlog::default_logger()) {
    const auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(text_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink));
  }
  ~Log() { spdlog::set_default_logger(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

/// Calls `action` as a plugin's function; gives what is warned of.
template <class Action>
std::string warning_of(const std::string& plugin, host::Watch watch, const Action& action) {
  const Log log;
  {
    const host::PluginEntry entry(
        {.plugin = &host::plugin_name(plugin), .function = "loss()", .step = 4}, watch);
    action();
  }
  return log.text();
}

TEST(FloatingPoint, IsPutBackAfterACallAndThePluginNamedOnce) {
  const host::FloatingPoint before = host::floating_point();
  const auto change = [] { std::fesetround(FE_UPWARD); };
  EXPECT_THAT(warning_of("a 1 (a.retort)", host::Watch::FloatingPoint, change),
              AllOf(HasSubstr("a 1 (a.retort) changed the floating-point state in loss(), step 4"),
                    HasSubstr("rounding")));
  EXPECT_EQ(host::floating_point(), before);
  EXPECT_EQ(warning_of("a 1 (a.retort)", host::Watch::FloatingPoint, change), "");
  EXPECT_EQ(host::floating_point(), before);
}

TEST(FloatingPoint, IsPutBackForAnOperatorWithinACall) {
  const host::FloatingPoint before = host::floating_point();
  EXPECT_THAT(warning_of("b 1 (b.retort)", host::Watch::FloatingPoint,
                         [&] {
                           std::fesetround(FE_DOWNWARD);
                           host::PluginEntry::restore_floating_point();
                           EXPECT_EQ(host::floating_point(), before);
                         }),
              HasSubstr("b 1 (b.retort) changed the floating-point state"));
}

TEST(FloatingPoint, NamesFlushToZero) {
#if !defined(__SSE2__)
  GTEST_SKIP() << "of x86";
#else
  host::FloatingPoint flushing = host::floating_point();
  flushing.vector |= 0x8040;
  EXPECT_EQ(host::difference_between(host::floating_point(), flushing),
            "flush to zero, denormals as zero");
#endif
}

TEST(ProcessState, IsPutBackAfterAWatchedCallAndThePluginNamed) {
  const std::filesystem::path folder = std::filesystem::current_path();
  const std::string warning = warning_of("c 1 (c.retort)", host::Watch::Process, [] {
    std::setlocale(LC_ALL, "C.UTF-8");
    EXPECT_EQ(chdir("/"), 0);
    umask(0);
    setenv("RETORT_TEST_STATE", "1", 1);
    std::signal(SIGINT, SIG_IGN);
    std::set_terminate([] { std::_Exit(9); });
  });
  EXPECT_THAT(warning,
              AllOf(HasSubstr("c 1 (c.retort) changed the locale (to C.UTF-8), the working "
                              "directory (to /), the file mode mask (umask), the "
                              "environment variable RETORT_TEST_STATE, what happens at "
                              "SIGINT, std::terminate's handler in loss(), step 4")));
  EXPECT_EQ(std::filesystem::current_path(), folder);
  EXPECT_STREQ(std::setlocale(LC_ALL, nullptr), "C");
  EXPECT_EQ(std::getenv("RETORT_TEST_STATE"), nullptr);
  EXPECT_EQ(warning_of("c 1 (c.retort)", host::Watch::Process, [] {}), "");
}

TEST(ProcessState, ChangedInACallThatIsNotWatchedIsPutBackAtTheEpochsEnd) {
  const std::filesystem::path folder = std::filesystem::current_path();
  EXPECT_EQ(warning_of("d 1 (d.retort)", host::Watch::FloatingPoint, [] {}), "");
  host::watch_process_state();
  EXPECT_EQ(
      warning_of("e 1 (e.retort)", host::Watch::FloatingPoint, [] { EXPECT_EQ(chdir("/"), 0); }),
      "");
  const Log log;
  host::compare_process_state();
  EXPECT_THAT(log.text(), HasSubstr("e 1 (e.retort) changed the working directory (to /); it was"));
  EXPECT_EQ(std::filesystem::current_path(), folder);
}

/// What is warned of at the end of an epoch in which these plugins were called, and one of them did so.
template <class Action>
std::string warning_at_epochs_end(const std::vector<std::string>& plugins, const Action& action) {
  host::watch_process_state();
  for (const std::string& plugin : plugins) warning_of(plugin, host::Watch::FloatingPoint, [] {});
  warning_of(plugins.back(), host::Watch::FloatingPoint, action);
  const Log log;
  host::compare_process_state();
  return log.text();
}

void set_mask() { umask(0); }
void leave_folder() { EXPECT_EQ(chdir("/"), 0); }

TEST(ProcessState, ChangedByOneOfSeveralIsToldOfThemAllOnce) {
  EXPECT_THAT(warning_at_epochs_end({"f 1", "g 1"}, set_mask),
              HasSubstr("one of f 1, g 1 changed the file mode mask (umask); it was put back"));
  EXPECT_EQ(warning_at_epochs_end({"f 1", "g 1"}, set_mask), "");
  EXPECT_EQ(warning_at_epochs_end({"f 1", "g 1", "h 1"}, set_mask), "");
  EXPECT_THAT(warning_at_epochs_end({"g 1"}, set_mask), HasSubstr("g 1 changed")) << "says more";
}

TEST(ProcessState, ToldOfAPluginIsNotToldAgainOfAllThatRanInTheEpoch) {
  EXPECT_THAT(warning_of("i 1", host::Watch::Process, leave_folder),
              HasSubstr("i 1 changed the working directory (to /) in loss(), step 4"));
  EXPECT_EQ(warning_at_epochs_end({"i 1", "j 1"}, leave_folder), "");
  EXPECT_THAT(warning_at_epochs_end({"i 1", "j 1"},
                                    [] {
                                      leave_folder();
                                      set_mask();
                                    }),
              HasSubstr("one of i 1, j 1 changed the file mode mask (umask); it was put back"))
      << "of what was told and what was not";
}

TEST(ProcessState, ChangedToAnotherValueEachTimeIsToldOnce) {
  const auto leave_to = [](const char* folder) {
    return warning_of("k 1", host::Watch::Process, [&] { EXPECT_EQ(chdir(folder), 0); });
  };
  EXPECT_THAT(leave_to("/"), HasSubstr("(to /)"));
  EXPECT_EQ(leave_to("/tmp"), "");
}

}  // namespace
}  // namespace retort::test
