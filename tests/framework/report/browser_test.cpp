// The page of a real run in a real browser: it says nothing on the console and asks for nothing.
#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Opened {
  std::string log;                     // holds CONSOLE where the page wrote on its console
  std::vector<std::string> addresses;  // what the page itself asked for, other than itself
};

/// Opens a page in headless Chromium, apart from the network.
Opened open_in_browser(const std::filesystem::path& page, const Scratch& scratch) {
  const std::string net = scratch.path("net.json").string(), log = scratch.path("log").string();
  const std::string command =
      "timeout 120 chromium --headless --no-sandbox --disable-gpu --no-first-run "
      "--disable-background-networking --disable-component-update --disable-sync "
      "--host-resolver-rules='MAP * ~NOTFOUND' --virtual-time-budget=3000 --dump-dom "
      "--enable-logging=stderr --user-data-dir='" +
      scratch.path("profile").string() + "' --log-net-log='" + net + "' 'file://" + page.string() +
      "' > '" + scratch.path("dom").string() + "' 2> '" + log + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << content_of(log);
  Opened opened = {content_of(log), {}};
  const json record = json::parse(content_of(net));
  const json& types = record["constants"]["logEventTypes"];
  for (const json& event : record["events"]) {
    if (event["type"] != types["URL_REQUEST_START_JOB"]) continue;
    // The browser's own requests, for updates and such, come from no page.
    const json& parameters = event.value("params", json::object());
    if (parameters.value("initiator", "not an origin") == "not an origin") continue;
    opened.addresses.push_back(parameters.value("url", ""));
  }
  return opened;
}

class Browser : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("chromium --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no chromium";
  }
  const Scratch scratch_;
};

TEST_F(Browser, OpensTheReportWithoutAMessageOrARequest) {
  const Finished run = retort({"run", tiny_experiment(scratch_).string()});
  ASSERT_EQ(run.code, 0) << run.err;
  const Opened opened = open_in_browser(scratch_.path("runs/tiny/001/report.html"), scratch_);
  EXPECT_THAT(opened.log, Not(HasSubstr("CONSOLE")));
  EXPECT_THAT(opened.addresses, IsEmpty());
  EXPECT_THAT(content_of(scratch_.path("dom")), HasSubstr("student, logits.kd"));
}

/// Otherwise the test above could not fail.
TEST_F(Browser, TellsOfAPageThatDoesBoth) {
  const auto page = scratch_.put("bad.html",
                                 "<img src=\"http://retort.invalid/x.png\"/>"
                                 "<script>console.log('said something')</script>");
  const Opened opened = open_in_browser(page, scratch_);
  EXPECT_THAT(opened.log, HasSubstr("CONSOLE"));
  EXPECT_THAT(opened.addresses, ElementsAre("http://retort.invalid/x.png"));
}

}  // namespace
}  // namespace retort::test
