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

/// A run of two teachers, of which "big" was trained in it, and of two students that learn
/// together.
std::filesystem::path run_of_several(const Scratch& scratch) {
  const auto row = [](const std::string& name, double top1, const char* alone,
                      const char* teacher) {
    json result = network(*teacher == '\0' ? "teacher" : name, 2);
    result.update({{"name", name}, {"top1", top1}, {"alone", alone}, {"teacher", teacher}});
    return result;
  };
  scratch.put("run.json",
              json{{"results",
                    {row("big", 80.5, "", ""), row("wide", 70.25, "", ""),
                     row("a alone", 50, "", "big"), row("b alone", 40, "", "wide"),
                     row("a, kd", 55, "a alone", "big"), row("b, kd", 41, "b alone", "wide")}}}
                  .dump());
  scratch.put("metrics.jsonl", R"({"phase": "big", "epoch": 1, "test_correct": 1, "test_total": 2}
{"phase": "alone.b", "epoch": 1, "losses": {"task": 0.5}, "test_correct": 1, "test_total": 4}
{"phase": "hint", "epoch": 1, "losses": {"fit": 0.125}, "test_correct": 1, "test_total": 8}
{"phase": "both", "epoch": 2, "losses": {"fit": 0.375}, "networks": {)"
                               R"("a": {"test_correct": 3, "test_total": 8}, )"
                               R"("b": {"test_correct": 5, "test_total": 8}}})"
                               "\n");
  return scratch.folder();
}

TEST(ReportPage, DrawsALineForEachPhaseAndLearner) {
  const Scratch scratch;
  const std::string page = host::report_page({run_of_several(scratch)});
  EXPECT_EQ(first_markup_mistake(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("<title>b alone, epoch 1: 25</title>"),
                          HasSubstr("<title>hint, epoch 1: 12.5</title>"),
                          HasSubstr("<title>both, a, epoch 2: 37.5</title>"),
                          HasSubstr("<title>both, b, epoch 2: 62.5</title>")));
  EXPECT_THAT(page, AllOf(HasSubstr("<title>b alone, epoch 1: 0.5</title>"),
                          HasSubstr("<title>hint, epoch 1: 0.125</title>"),
                          HasSubstr("<title>both, epoch 2: 0.375</title>")));
}

TEST(ReportPage, DrawsEachTeacherThatWasNotTrainedAsALevelLine) {
  const Scratch scratch;
  EXPECT_THAT(host::report_page({run_of_several(scratch)}),
              AllOf(HasSubstr("<title>big, epoch 1: 50</title>"), Not(HasSubstr(": 80.5</title>")),
                    HasSubstr("<title>wide, epoch 1: 70.25</title>"),
                    HasSubstr("<title>wide, epoch 2: 70.25</title>")));
}

/// A row of the table of networks: up to the share of its teacher's predictions.
std::string row_text(const std::string& name, const std::string& top1, const std::string& alone,
                     const std::string& teacher) {
  return "<tr><th>" + name + "</th><td>" + top1 + "</td><td>99.50</td><td>" + alone + "</td><td>" +
         teacher + "</td>";
}

TEST(ReportPage, MeasuresEachRowAgainstItsOwnTeacher) {
  const Scratch scratch;
  const std::string page = host::report_page({run_of_several(scratch)});
  EXPECT_THAT(page, AllOf(HasSubstr(row_text("big", "80.50", "", "")),
                          HasSubstr(row_text("wide", "70.25", "", "")),
                          HasSubstr(row_text("a alone", "50.00", "", "-30.50")),
                          HasSubstr(row_text("b alone", "40.00", "", "-30.25")),
                          HasSubstr(row_text("a, kd", "55.00", "", "-25.50")),
                          HasSubstr(row_text("b, kd", "41.00", "", "-29.25"))));
  EXPECT_THAT(page, AllOf(HasSubstr("<h3>a, kd against the teacher big</h3>"),
                          HasSubstr("<h3>b, kd against the teacher wide</h3>")));
}

TEST(ReportPage, ReadsTheFolderOfAnOlderVersionAsBefore) {
  const std::string page =
      host::report_page({std::filesystem::path(RETORT_SOURCE_DIR) / "tests/golden/0.2/golden/001"});
  EXPECT_THAT(
      page,
      AllOf(HasSubstr("<tr><th>teacher</th><td>75.00</td><td>100.00</td><td></td><td></td>"),
            HasSubstr("<tr><th>student alone</th><td>40.62</td><td>100.00</td><td></td><td>-34.38"),
            HasSubstr("</th><td>37.50</td><td>100.00</td><td>-3.12</td><td>-37.50</td>")));
  EXPECT_THAT(page, AllOf(HasSubstr("<title>teacher, epoch 2: 80.469</title>"),
                          HasSubstr("<title>student alone, epoch 3: 40.625</title>"),
                          HasSubstr("<title>student, epoch 3: 37.5</title>"),
                          HasSubstr("<h3>student alone against the teacher</h3>"),
                          HasSubstr("golden.centres + logits.kd against the teacher</h3>")));
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
