#include "framework/report/report_page.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/base/error.hpp"
#include "framework/io/markup.hpp"
#include "framework/io/safe_text.hpp"
#include "tests/framework/report/well_formed.hpp"

namespace retort::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

json network(const std::string& name, int64_t classes) {
  json evaluation = {{"classes", classes}, {"top5", 99.5}, {"calibration_error", 0.02}};
  evaluation["class_correct"] = std::vector<int64_t>(static_cast<size_t>(classes), 3);
  evaluation["class_total"] = std::vector<int64_t>(static_cast<size_t>(classes), 4);
  if (name != "teacher") {
    evaluation["teacher_agreement"] = 0.5;
    evaluation["confusion"] = json::array();
    for (int64_t i = 0; i < classes; ++i) {
      evaluation["confusion"].push_back({i, (i + 1) % classes, 100 + i});
    }
  }
  json network = {{"name", name}, {"top1", 75.0}, {"evaluation", evaluation}};
  if (name != "teacher") network.update({{"parameters", 1234567}, {"multiply_adds", 40840000}});
  return network;
}

/// A run folder whose every name tries to leave its place.
std::filesystem::path run_folder(const Scratch& scratch, const std::string& name,
                                 int64_t classes = 3) {
  const std::filesystem::path folder = scratch.path(name);
  std::filesystem::create_directories(folder);
  const json run = {
      {"status", "finished"},
      {"device", "cpu"},
      {"classes", {"<i>", "\"quoted\"", "a & b"}},
      {"results", {network("teacher", classes), network("student, <script>x</script>", classes)}}};
  const json line = {{"phase", "distil"},
                     {"epoch", 1},
                     {"losses", {{"<b>term", 0.5}, {"broken", nullptr}}},
                     {"test_correct", 9},
                     {"test_total", 12}};
  std::ofstream(folder / "run.json") << run.dump();
  std::ofstream(folder / "metrics.jsonl") << line.dump() << "\n";
  std::ofstream(folder / "experiment.toml") << "name = \"<&>\"\n";
  std::ofstream(folder / "retort.lock") << "logits.kd 1.0.0 00ff\n";
  return folder;
}

TEST(Escaped, LeavesNothingThatXmlWouldRead) {
  EXPECT_EQ(host::escaped("<a b=\"c\" d='e'>&\x01\n"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\xEF\xBF\xBD\n");
}

TEST(ReportPage, IsWellFormedAndEscapesWhatItShows) {
  const Scratch scratch;
  const std::string page = host::report_page({run_folder(scratch, "001")});
  EXPECT_EQ(first_markup_mistake(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("student, &lt;script&gt;"), HasSubstr("&lt;b&gt;term"),
                          HasSubstr("name = &quot;&lt;&amp;&gt;&quot;"), HasSubstr("a &amp; b"),
                          HasSubstr("logits.kd 1.0.0 00ff")));
}

TEST(ReportPage, HoldsNothingThatXmlForbidsOrABrowserObeysUnseen) {
  const Scratch scratch;
  const std::filesystem::path folder = run_folder(scratch, "caf\xE9/001");
  std::ofstream(folder / "experiment.toml") << "name = \"\xFF\x1B\x01\xE2\x80\xAE\xEF\xBF\xBE\"\n";
  std::ofstream(folder / "retort.lock") << "\xED\xA0\x80\xC2\x9B\r\n";
  const std::string page = host::report_page({folder});
  EXPECT_EQ(first_markup_mistake(page), "");
  EXPECT_EQ(host::safe_text(page), page);
  EXPECT_THAT(page, HasSubstr("caf\xEF\xBF\xBD/001"));
}

TEST(ReportPage, TellsTheSizeOfANetworkAndADashWhereItIsNotKnown) {
  const Scratch scratch;
  const std::string page = host::report_page({run_folder(scratch, "001")});
  EXPECT_THAT(page, AllOf(HasSubstr("<th>parameters</th><th>M multiply-adds</th>"),
                          HasSubstr("<td>1,234,567</td><td>40.8</td></tr>"),
                          HasSubstr("<td>-</td><td>-</td></tr>")));
}

TEST(ReportPage, RunsNoScriptAndFetchesNothing) {
  const Scratch scratch;
  const std::string page = host::report_page({run_folder(scratch, "001")});
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("http")),
                          Not(HasSubstr("<link")), Not(HasSubstr("url(")),
                          Not(HasSubstr("@import")), Not(ContainsRegex(" (src|href|on[a-z]+)="))));
}

TEST(ReportPage, TellsThePointsOfItsCurves) {
  const Scratch scratch;
  EXPECT_THAT(host::report_page({run_folder(scratch, "001")}),
              HasSubstr("<title>student, epoch 1: 75</title>"));
}

TEST(ReportPage, DrawsATeacherThatWasNotTrainedAsALevelLine) {
  const Scratch scratch;
  EXPECT_THAT(host::report_page({run_folder(scratch, "001")}),
              HasSubstr("<title>teacher, epoch 1: 75</title>"));
}

TEST(ReportPage, ShowsConfusionAsAMatrixOrAsPairsByTheNumberOfClasses) {
  const Scratch scratch;
  EXPECT_THAT(host::report_page({run_folder(scratch, "few", 20)}),
              HasSubstr("teacher 5, student 6: 105 samples"));
  const std::string many = host::report_page({run_folder(scratch, "many", 21)});
  EXPECT_THAT(many, AllOf(HasSubstr("The 20 pairs that differ most often, of 21 classes"),
                          HasSubstr("<td>120</td>"), Not(HasSubstr("<td>100</td>"))));
}

TEST(ReportPage, ListsNoMoreThan2000ClassesAndSaysSo) {
  const Scratch scratch;
  const std::string page = host::report_page({run_folder(scratch, "001", 2500)});
  EXPECT_THAT(page, AllOf(HasSubstr("The first 2000 of 2500 classes"), HasSubstr("<th>1999</th>"),
                          Not(HasSubstr("<th>2100</th>"))));
}

TEST(ReportPage, PutsRunsSideBySide) {
  const Scratch scratch;
  const std::string page =
      host::report_page({run_folder(scratch, "one/001"), run_folder(scratch, "two/001")});
  EXPECT_EQ(first_markup_mistake(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("one/001: teacher"), HasSubstr("two/001: student")));
}

TEST(ReportPage, RefusesAFolderWithoutARunOrWithADamagedOne) {
  const Scratch scratch;
  EXPECT_THAT(message_of<host::DataError>([&] { host::report_page({scratch.folder()}); }),
              HasSubstr(scratch.folder().string() + " has no run.json"));
  const std::filesystem::path folder = run_folder(scratch, "001");
  std::ofstream(folder / "run.json") << "{\"results\": [{\"name\": 3}]}";
  EXPECT_THAT(message_of<host::DataError>([&] { host::report_page({folder}); }),
              HasSubstr(folder.string()));
  std::ofstream(folder / "metrics.jsonl") << "{}\n{\"epo\n";
  EXPECT_THAT(message_of<host::DataError>([&] { host::report_page({folder}); }),
              HasSubstr("metrics.jsonl:2: \"{\"epo\" is no JSON object"));
}

}  // namespace
}  // namespace retort::test
