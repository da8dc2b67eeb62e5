// run.json and metrics.jsonl that no run of ours wrote.
#include "framework/report/run_record.hpp"

#include <gmock/gmock.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/base/error.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/report/report_page.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

json run_json() {
  const json evaluation = {{"samples", 8},
                           {"classes", 2},
                           {"top5", 100.0},
                           {"calibration_error", nullptr},
                           {"cross_entropy", 0.5},
                           {"class_correct", {3, 3}},
                           {"class_total", {4, 4}},
                           {"teacher_agreement", 0.5},
                           {"confusion", {{0, 0, 4}, {1, 0, 4}}}};
  const json student = {{"name", "student"},        {"test_correct", 6},
                        {"test_total", 8},          {"top1", 75.0},
                        {"best_epoch", 2},          {"best_top1", 75.0},
                        {"best_chosen_on", "test"}, {"train_seconds", 1.5},
                        {"parameters", 10},         {"multiply_adds", 20},
                        {"evaluation", evaluation}};
  return {{"experiment", "e"}, {"status", "finished"},  {"seed", 7},
          {"threads", 1},      {"classes", {"a", "b"}}, {"results", {student}}};
}

std::string refused(const Scratch& scratch, const std::string& text) {
  scratch.put("run.json", text);
  return message_of<host::DataError>([&] { host::read_run(scratch.folder()); });
}

TEST(RunRecord, ReadsWhatARunWrites) {
  const Scratch scratch;
  EXPECT_EQ(refused(scratch, run_json().dump()), "");
  const host::RunResults run = host::read_results(scratch.folder());
  EXPECT_EQ(run.seed, 7u);
  const host::RecordedResult* student = run.find("student");
  ASSERT_NE(student, nullptr);
  EXPECT_EQ(student->parameters, 10);
  EXPECT_FALSE(student->evaluation->calibration_error);
  EXPECT_EQ(student->evaluation->confusion->at(1), (host::ConfusionEntry{1, 0, 4}));
}

TEST(RunRecord, RefusesValuesThatCannotBeAndNamesThem) {
  const std::string row = "/results/0", evaluation = "/results/0/evaluation";
  const std::vector<std::pair<std::string, std::pair<json, std::string>>> wrong = {
      {"/status", {3, "status = 3; must be text"}},
      {"/seed", {-1, "seed = -1; must be a whole number from 0"}},
      {"/threads", {"many", "threads = \"many\"; must be a whole number"}},
      {"/classes", {"a", "classes = \"a\"; must be a list"}},
      {"/classes/1", {{{"x", 1}}, "classes[1] = an object; must be text"}},
      {"/results", {{{"a", 1}}, "results = an object; must be a list"}},
      {row, {7, "results[0] = 7; must be an object"}},
      {row + "/name", {json::array(), "results[0].name = a list; must be text"}},
      {row + "/alone", {7, "results[0].alone = 7; must be text"}},
      {row + "/teacher", {json::array(), "results[0].teacher = a list; must be text"}},
      {row + "/top1", {-3.5, "results[0].top1 = -3.5; must be a number from 0.0 to 100.0"}},
      {row + "/top1", {"75", "results[0].top1 = \"75\""}},
      {row + "/parameters", {1e300, "results[0].parameters = 1e+300"}},
      {row + "/test_correct", {-6, "results[0].test_correct = -6; must be a whole number"}},
      {row + "/test_correct", {9, "results[0].test_correct = 9 is above test_total = 8"}},
      {row + "/test_total", {"8", "results[0].test_total = \"8\""}},
      {row + "/best_epoch", {-1, "results[0].best_epoch = -1; must be a whole number from 0"}},
      {row + "/best_epoch", {2.5, "results[0].best_epoch = 2.5"}},
      {row + "/best_top1", {175, "results[0].best_top1 = 175; must be a number from 0.0 to 100.0"}},
      {row + "/best_chosen_on", {1, "results[0].best_chosen_on = 1; must be text"}},
      {evaluation, {"none", "results[0].evaluation = \"none\"; must be an object"}},
      {evaluation + "/samples", {-8, "evaluation.samples = -8; must be a whole number"}},
      {evaluation + "/samples", {9, "evaluation.samples = 9, but class_total counts 8"}},
      {evaluation + "/confusion/1/2", {5, "evaluation.samples = 8, but confusion counts 9"}},
      {evaluation + "/top1", {"x", "evaluation.top1 = \"x\"; must be a number"}},
      {evaluation + "/classes", {-2, "evaluation.classes = -2"}},
      {evaluation + "/classes", {3, "are of 2 and 2 classes, and classes = 3"}},
      {evaluation + "/class_total", {{4, 4, 4}, "are of 2 and 3 classes"}},
      {evaluation + "/class_correct/1", {5, "class_correct[1] is above class_total"}},
      {evaluation + "/class_correct/1", {"x", "class_correct[1] = \"x\""}},
      {evaluation + "/confusion", {{{{"a", 1}}}, "confusion[0] = an object; must be a list of 3"}},
      {evaluation + "/confusion/0", {{0, 0}, "confusion[0] = a list; must be a list of 3"}},
      {evaluation + "/confusion/0/0", {-1, "confusion[0] = -1; must be a list of 3"}},
      {evaluation + "/confusion/1/1", {2, "confusion[1] = [1,2,4]; there are 2 classes"}},
      {evaluation + "/confusion/1/2", {uint64_t{1} << 63, "confusion[1] = 9223372036854775808"}}};
  const Scratch scratch;
  for (const auto& [pointer, rest] : wrong) {
    json run = run_json();
    run[json::json_pointer(pointer)] = rest.first;
    EXPECT_THAT(refused(scratch, run.dump()),
                AllOf(HasSubstr(scratch.path("run.json").string() + ": "), HasSubstr(rest.second)))
        << pointer;
  }
}

TEST(RunRecord, RefusesWhatIsNoJsonAndWhatIsTooDeep) {
  const Scratch scratch;
  for (const char* text : {"", "[]", "{\"a\": NaN}", "{\"results\": 1e999}", "{\"a\": \"\xFF\"}"}) {
    EXPECT_THAT(refused(scratch, text), HasSubstr("is no JSON object")) << text;
  }
  const size_t deep = 200000;
  const std::string nested =
      "{\"results\": " + std::string(deep, '[') + std::string(deep, ']') + "}";
  EXPECT_THAT(refused(scratch, nested), HasSubstr("holds more than 16 levels"));
}

TEST(RunRecord, TakesMissingAndNullValuesForNone) {
  const Scratch scratch;
  EXPECT_EQ(refused(scratch, "{}"), "");
  EXPECT_EQ(refused(scratch, R"({"results": [{}, {"name": null, "evaluation": {}}]})"), "");
  scratch.put("metrics.jsonl", "{}\n{\"losses\": {\"task\": null}}\n{\"half of a li");
  const host::RunRecord record = host::read_run(scratch.folder());
  EXPECT_EQ(record.metrics.size(), 2u);
  EXPECT_NO_THROW(host::report_page({scratch.folder()}));
}

TEST(RunRecord, RefusesEpochsThatCannotBe) {
  const Scratch scratch;
  scratch.put("run.json", run_json().dump());
  for (const char* line :
       {"{\"epoch\": -1}", "{\"phase\": 3}", "{\"losses\": [1]}", "{\"metrics\": {\"a\": \"b\"}}",
        "{\"test_total\": 1e300}", "{\"test_total\": 3, \"test_correct\": 4}", "{\"lr\": \"high\"}",
        "{\"validation_total\": 3, \"validation_correct\": 4}", R"({"networks": 3})",
        R"({"networks": [{"test_correct": 1, "test_total": 2}]})", R"({"networks": {"a": 3}})",
        R"({"networks": {"a": {"test_correct": -1, "test_total": 2}}})",
        R"({"networks": {"a": {"test_total": "2"}}})",
        R"({"networks": {"a": {"test_correct": 3, "test_total": 2}}})",
        R"({"networks": {"b": {}, "a": {"validation_correct": 3, "validation_total": 2}}})"}) {
    scratch.put("metrics.jsonl", std::string("{}\n") + line + "\n");
    EXPECT_THAT(message_of<host::DataError>([&] { host::read_run(scratch.folder()); }),
                HasSubstr("metrics.jsonl:2: "))
        << line;
  }
}

TEST(RunRecord, NamesTheNetworkOfAnEpochThatCannotBeAndBoundsTheirNumber) {
  const auto refused_line = [](const std::string& networks) {
    return message_of<host::DataError>(
        [&] { host::parse_metrics("{\"networks\": {" + networks + "}}\n", "m"); });
  };
  EXPECT_THAT(refused_line(R"("b": {"test_correct": 3, "test_total": 2})"),
              HasSubstr("m:1: networks.b.test_correct = 3 is above test_total = 2"));
  EXPECT_THAT(refused_line(R"("b": "c")"), HasSubstr("m:1: networks.b = \"c\"; must be an object"));
  std::string many = "\"0\": {}";
  for (int i = 1; i < 1000; ++i) many += ", \"" + std::to_string(i) + "\": {}";
  EXPECT_EQ(refused_line(many), "");
  EXPECT_THAT(refused_line(many + ", \"a\": {}"), HasSubstr("m:1: networks are 1001;"));
}

TEST(RunRecord, ReadsTheNetworksOfAnEpoch) {
  const auto epochs = host::parse_metrics(
      R"({"phase": "both", "networks": {"b": {"test_correct": 1, "test_total": 4},)"
      R"( "a": {}, "c": null}}
{"phase": "distil", "test_correct": 1, "test_total": 2}
)",
      "m");
  ASSERT_EQ(epochs.size(), 2u);
  EXPECT_FALSE(epochs[0].top1);
  ASSERT_EQ(epochs[0].networks.size(), 2u);
  EXPECT_EQ(epochs[0].networks[0].name, "a");
  EXPECT_FALSE(epochs[0].networks[0].top1);
  EXPECT_EQ(epochs[0].networks[1].top1, 25);
  EXPECT_EQ(epochs[1].top1, 50);
  EXPECT_TRUE(epochs[1].networks.empty());
}

TEST(RunRecord, KnowsWhatARowIsMeasuredAgainstByItsNameUnlessTheRunTellsIt) {
  const host::RunResults run = host::parse_results(
      R"({"results": [{"name": "teacher"}, {"name": "student alone"}, {"name": "student, kd"},
          {"name": "big", "alone": "", "teacher": ""},
          {"name": "b, kd", "alone": "b alone", "teacher": "big"},
          {"name": "c", "alone": null, "teacher": null}]})",
      "run.json");
  std::vector<std::array<std::string, 3>> rows;
  for (const auto& row : run.results) rows.push_back({row.name, row.alone, row.teacher});
  EXPECT_THAT(rows, testing::ElementsAreArray(std::vector<std::array<std::string, 3>>{
                        {"teacher", "", ""},
                        {"student alone", "", "teacher"},
                        {"student, kd", "student alone", "teacher"},
                        {"big", "", ""},
                        {"b, kd", "b alone", "big"},
                        {"c", "student alone", "teacher"}}));
}

TEST(RunRecord, FindsTheRowThatTheRunIsAbout) {
  const auto found = [](const std::vector<std::string>& rows) {
    host::RunResults run;
    for (const std::string& name : rows) {
      const host::RowReferences usual = host::find_usual_references(name);
      run.results.push_back({name, usual.alone, usual.teacher, {}, {}, {}, {}, {}, {}});
    }
    const host::RecordedResult* result = run.find_result();
    return result == nullptr ? "" : result->name;
  };
  EXPECT_EQ(found({}), "");
  EXPECT_EQ(found({"teacher"}), "");
  EXPECT_EQ(found({"teacher", "student alone"}), "student alone");
  EXPECT_EQ(found({"teacher", "student alone", "student, a"}), "student, a");
  EXPECT_EQ(found({"student, a", "student, b", "student alone", "teacher"}), "student, b");
}

TEST(RunRecord, FindsTheRowThatEachStudentIsAbout) {
  host::RunResults run;
  const auto add = [&](const char* name, const char* alone, const char* teacher) {
    run.results.push_back({name, alone, teacher, {}, {}, {}, {}, {}, {}});
  };
  const auto found = [&] {
    std::vector<std::pair<std::string, std::string>> names;
    for (const auto& [student, row] : run.find_results()) names.emplace_back(student, row->name);
    return names;
  };
  EXPECT_THAT(found(), testing::IsEmpty());
  add("big", "", "");
  add("a alone", "", "big");
  add("b alone", "", "big");
  EXPECT_THAT(found(),
              testing::ElementsAre(testing::Pair("a", "a alone"), testing::Pair("b", "b alone")));
  add("a, hint", "a alone", "big");
  add("a, kd", "a alone", "big");
  EXPECT_THAT(found(),
              testing::ElementsAre(testing::Pair("a", "a, kd"), testing::Pair("b", "b alone")));
}

TEST(RunRecord, FollowsNoLinkOutOfTheFolder) {
  const Scratch scratch, other;
  scratch.put("run.json", run_json().dump());
  other.put("secret", "password = \"hunter2\"\n");
  fs::create_symlink(other.path("secret"), scratch.path("retort.lock"));
  EXPECT_THAT(message_of<host::DataError>([&] { host::report_page({scratch.folder()}); }),
              HasSubstr("retort.lock: is a link"));
}

TEST(ReportPage, IsDrawnForNumbersAtTheEdges) {
  const Scratch scratch;
  scratch.put("run.json", run_json().dump());
  scratch.put("metrics.jsonl",
              "{\"epoch\": 0, \"losses\": {\"a\": -1e308, \"b\": 1e-308}}\n"
              "{\"epoch\": 274877906944, \"losses\": {\"a\": 1e308, \"b\": -1e300}}\n"
              "{\"epoch\": 1, \"losses\": {\"b\": 1e300}}\n");
  const std::string page = host::report_page({scratch.folder()});
  EXPECT_THAT(page, testing::Not(HasSubstr("nan")));
}

TEST(FindRuns, TakesARunItselfOrThoseBelowInTheOrderOfTheirNumbers) {
  const Scratch scratch;
  for (const char* name : {"b/10", "b/9", "b/1000", "a/001"}) {
    fs::create_directories(scratch.path(name));
    scratch.put(std::string(name) + "/run.json", "{}");
  }
  const fs::path folder = scratch.folder();
  EXPECT_THAT(host::find_runs(folder), testing::ElementsAre(folder / "a/001", folder / "b/9",
                                                            folder / "b/10", folder / "b/1000"));
  EXPECT_THAT(host::find_runs(folder / "b/9"), testing::ElementsAre(folder / "b/9"));
  EXPECT_THAT(host::find_runs(folder / "none"), testing::IsEmpty());
}

}  // namespace
}  // namespace retort::test
