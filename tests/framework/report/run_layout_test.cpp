// The files of a run folder: their names, who owns them, and what is written.
#include "framework/report/run_layout.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "framework/base/error.hpp"
#include "framework/report/run_folder.hpp"
#include "framework/report/run_owner.hpp"
#include "framework/report/run_record.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

using host::RunLayout;
using host::SavedWeights;
using nlohmann::json;
using testing::HasSubstr;

TEST(RunLayout, NamesTheFilesThatReadersKnow) {
  const RunLayout run("runs/kd/001");
  EXPECT_EQ(run.experiment(), "runs/kd/001/experiment.toml");
  EXPECT_EQ(run.lock(), "runs/kd/001/retort.lock");
  EXPECT_EQ(run.metrics(), "runs/kd/001/metrics.jsonl");
  EXPECT_EQ(run.results(), "runs/kd/001/run.json");
  EXPECT_EQ(run.summary(), "runs/kd/001/summary.csv");
  EXPECT_EQ(run.result_weights(), "runs/kd/001/student.safetensors");
  EXPECT_EQ(run.page(), "runs/kd/001/report.html");
  EXPECT_EQ(run.owner(), "runs/kd/001/owner");
  EXPECT_EQ(run.states(), "runs/kd/001/checkpoints/resume");
  EXPECT_EQ(run.weights_file(host::weights_name("alone", SavedWeights::Last)),
            "runs/kd/001/checkpoints/alone-last.safetensors");
  EXPECT_EQ(run.weights_file(host::weights_name("distil", SavedWeights::Best)),
            "runs/kd/001/checkpoints/distil-best.safetensors");
  EXPECT_EQ(run.event_file(12, 3), "runs/kd/001/events.out.tfevents.12.3.retort");
}

TEST(RunLayout, NamesTheFilesOfEachOfSeveralNetworks) {
  const RunLayout run("r");
  EXPECT_EQ(run.result_weights("a"), "r/a.safetensors");
  EXPECT_EQ(run.result_weights("student"), run.result_weights());
  EXPECT_EQ(run.weights_file(host::weights_name("both", SavedWeights::Last, "a")),
            "r/checkpoints/both+a-last.safetensors");
  EXPECT_EQ(host::weights_name("both", SavedWeights::Best, "b"), "both+b-best");
  EXPECT_NE(host::weights_name("hint", SavedWeights::Last, "a"),
            host::weights_name("hint.a", SavedWeights::Last));
}

TEST(RunLayout, KeepsAStudentOfAnyNameOutOfItsOtherFiles) {
  const RunLayout run("r");
  for (const char* name :
       {"report", "run", "metrics", "owner", "retort", "experiment", "summary"}) {
    for (const char* file : RunLayout::kFiles)
      EXPECT_NE(run.result_weights(name).filename(), file) << name;
  }
}

TEST(RunLayout, NamesTheFoldersOfAnExperiment) {
  EXPECT_EQ(host::numbered_run(host::runs_folder("runs", "kd"), 7), "runs/kd/007");
  EXPECT_EQ(host::numbered_run("runs/kd", 1234), "runs/kd/1234");
  EXPECT_EQ(host::kept_teacher("runs", "0a1b"), "runs/teachers/0a1b.safetensors");
}

TEST(RunLayout, RefusesAFolderThatIsNoRun) {
  const Scratch scratch;
  const RunLayout run(scratch.folder());
  EXPECT_THAT([&] { run.check_is_run(); },
              testing::ThrowsMessage<host::ConfigError>(
                  run.folder().string() + " is no run folder: it has no experiment.toml; name one "
                                          "such as runs/NAME/001"));
  scratch.put("experiment.toml", "");
  EXPECT_NO_THROW(run.check_is_run());
}

TEST(RunLayout, RefusesLinks) {
  const Scratch scratch;
  const RunLayout run(scratch.folder());
  EXPECT_NO_THROW(run.check_no_links({RunLayout::kMetrics, RunLayout::kStates}));
  std::filesystem::create_symlink("elsewhere", run.metrics());
  EXPECT_NO_THROW(run.check_no_links({RunLayout::kStates}));
  EXPECT_THAT(
      [&] {
        run.check_no_links({RunLayout::kStates, RunLayout::kMetrics});
      },
      testing::ThrowsMessage<host::DataError>(
          testing::StartsWith(run.metrics().string() + ": is a link")));
}

TEST(RunOwner, IsSeenByOthersWhileItLives) {
  const Scratch scratch;
  const RunLayout run(scratch.folder());
  EXPECT_FALSE(host::has_owner(run));
  {
    const host::RunOwner owner(run);
    EXPECT_TRUE(host::has_owner(run));
    EXPECT_THAT(content_of(run.owner()), testing::StartsWith("process "));
    EXPECT_THROW(host::RunOwner second(run), host::EnvironmentError);
  }
  EXPECT_FALSE(host::has_owner(run));
  const host::RunOwner next(run);
}

host::ComparisonRow row_of(const std::string& name, const std::string& alone,
                           const std::string& teacher) {
  host::ComparisonRow row = host::make_row(name);
  row.accuracy = {1, 2};
  row.alone = alone;
  row.teacher = teacher;
  return row;
}

TEST(RunFolder, WritesWhatARowIsMeasuredAgainstWhereItsNameDoesNotTellIt) {
  const auto written = [](const host::ComparisonRow& row) {
    return json::parse(host::results_json({}, {}, {row})).at("results").at(0).dump();
  };
  const auto plain = [](const std::string& name) {
    return json{{"name", name}, {"test_correct", 1}, {"test_total", 2}, {"top1", 50.0}};
  };
  const auto with = [](json row, const char* key, const char* value) {
    row[key] = value;
    return row;
  };
  EXPECT_EQ(written(row_of("teacher", "", "")), plain("teacher").dump());
  EXPECT_EQ(written(row_of("student alone", "", "teacher")), plain("student alone").dump());
  EXPECT_EQ(written(row_of("student, kd", "student alone", "teacher")),
            plain("student, kd").dump());
  EXPECT_EQ(written(row_of("student, kd", "student alone", "big")),
            with(plain("student, kd"), "teacher", "big").dump());
  EXPECT_EQ(written(row_of("student, kd", "", "teacher")),
            with(plain("student, kd"), "alone", "").dump());
}

TEST(RunFolder, IsReadBackWithTheRowsOfSeveralNetworks) {
  const std::string text = host::results_json(
      {}, {}, {row_of("big", "", ""), row_of("b alone", "", "big"), row_of("b", "b alone", "big")});
  const host::RunResults run = host::parse_results(text, "run.json");
  EXPECT_TRUE(run.find("big")->is_teacher());
  EXPECT_EQ(run.find("b alone")->alone, "");
  EXPECT_EQ(run.find("b")->alone, "b alone");
  EXPECT_EQ(run.find("b")->teacher, "big");
  EXPECT_EQ(run.find_result()->name, "b");
}

TEST(RunFolder, AppendsAnEpochOfTheOnlyLearnerAsBeforeAndOfSeveralByTheirNames) {
  const Scratch scratch;
  scratch.put("experiment.toml", "");
  host::RunFolder folder(scratch.folder());
  host::EpochReport report;
  report.epoch = 1;
  report.lr = 0.5;
  report.losses = {{"task", 2}};
  report.learners = {{"student", {3, 4}, host::Accuracy{1, 2}, true}};
  folder.append_metrics("distil", report);
  report.learners = {{"b", {1, 4}, {}, false}, {"a", {2, 4}, host::Accuracy{0, 2}, false}};
  folder.append_metrics("both", report);
  EXPECT_EQ(content_of(scratch.path("metrics.jsonl")),
            R"({"phase":"distil","epoch":1,"lr":0.5,"losses":{"task":2.0},"test_correct":3,)"
            R"("test_total":4,"validation_correct":1,"validation_total":2})"
            "\n"
            R"({"phase":"both","epoch":1,"lr":0.5,"losses":{"task":2.0},"networks":{)"
            R"("b":{"test_correct":1,"test_total":4},"a":{"test_correct":2,"test_total":4,)"
            R"("validation_correct":0,"validation_total":2}}})"
            "\n");
}

TEST(RunFolder, LocksThePluginsOfAllNetworks) {
  const Scratch scratch;
  const auto component = [&](const std::string& id) {
    host::ComponentChoice choice;
    choice.info.id = id;
    choice.info.version = "1.0.0";
    choice.info.file = scratch.put(id, id);
    return choice;
  };
  host::Experiment experiment;
  experiment.name = "e";
  experiment.run.out = scratch.path("runs");
  experiment.data.dataset = component("data");
  for (const char* id : {"big", "wide"}) {
    experiment.teachers.emplace_back().model = component(id);
    experiment.teachers.back().name = id;
  }
  for (const char* id : {"a", "b"}) {
    experiment.students.emplace_back().model = component(id);
    experiment.students.back().name = id;
  }
  const std::string lock = content_of(host::RunFolder(experiment).layout().lock());
  for (const char* id : {"a", "b", "big", "data", "wide"})
    EXPECT_THAT(lock, HasSubstr("\n" + std::string(id) + " 1.0.0 "));
}

}  // namespace
}  // namespace retort::test
