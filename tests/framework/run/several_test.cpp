// Experiments with more than one phase, teacher, student or view: those of the repository, on a few
// synthetic images.
#include <gmock/gmock.h>

#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/framework/run/resuming.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// The arguments that run an experiment of the repository in a moment, below `scratch`.
std::vector<std::string> run_arguments(const Scratch& scratch, const std::string& name) {
  const fs::path file = fs::path(RETORT_SOURCE_DIR) / "experiments/several" / (name + ".toml");
  return {"run",
          file.string(),
          "data.dataset=synthetic",
          "data.train=48",
          "data.test=32",
          "data.size=16",
          "data.train_samples=0",
          "data.batch_size=16",
          "train.epochs=2",
          "run.device=cpu",
          "run.threads=1",
          "run.out=" + scratch.path("runs").string()};
}

/// A run of one of them that nothing stopped.
struct Several {
  explicit Several(const std::string& name, const std::vector<std::string>& overrides = {})
      : folder(scratch.path("runs") / name / "001") {
    std::vector<std::string> arguments = run_arguments(scratch, name);
    arguments.insert(arguments.end(), overrides.begin(), overrides.end());
    const Finished run = retort(arguments);
    EXPECT_EQ(run.code, 0) << run.err;
    out = run.out;
    err = run.err;
  }

  std::vector<std::string> rows() const {
    std::vector<std::string> names;
    const json run = json::parse(content_of(folder / "run.json"));
    for (const json& row : run["results"]) names.push_back(row["name"]);
    return names;
  }
  /// "hint 1: hint loss", for each line of metrics.jsonl.
  std::vector<std::string> epochs() const {
    std::vector<std::string> lines;
    std::istringstream stream(content_of(folder / "metrics.jsonl"));
    for (std::string text; std::getline(stream, text);) {
      const json line = json::parse(text);
      std::string told = line["phase"].get<std::string>() + ":";
      for (const auto& [name, value] : line["losses"].items()) told += " " + name;
      if (lines.empty() || lines.back() != told) lines.push_back(told);
    }
    return lines;
  }
  std::string bytes(const std::string& file) const { return content_of(folder / file); }

  Scratch scratch;
  fs::path folder;
  std::string out, err;
};

TEST(Several, AHintPhaseTrainsTheStudentUpToATapAndHandsItOn) {
  const Several run("fitnet_two_stages");
  EXPECT_THAT(run.rows(), ElementsAre("teacher", "student alone", "student, hint", "student, kd"));
  EXPECT_THAT(run.epochs(), ElementsAre("teacher: loss task", "alone: loss task", "hint: hint loss",
                                        "distil: kd loss task"));
  // Without steps behind the hint, what it learnt is where the next phase starts.
  EXPECT_NE(run.bytes("checkpoints/hint-last.safetensors"),
            run.bytes("checkpoints/distil-last.safetensors"));
  EXPECT_EQ(run.bytes("student.safetensors"), run.bytes("checkpoints/distil-last.safetensors"));
  EXPECT_THAT(run.bytes("report.html"), HasSubstr("student, hint"));
}

TEST(Several, TwoTeachersAreTrainedAndKeptEach) {
  const Several run("two_teachers");
  EXPECT_THAT(run.rows(), ElementsAre("deep", "wide", "student alone", "student, logits.kd"));
  EXPECT_THAT(run.epochs(), ElementsAre("deep: loss task", "wide: loss task", "alone: loss task",
                                        "distil: logits.kd loss task"));
  size_t kept = 0;
  for (const auto& entry : fs::directory_iterator(run.scratch.path("runs/teachers")))
    kept += entry.path().extension() == ".safetensors" ? 1 : 0;
  EXPECT_EQ(kept, 2u);
  const Finished again = retort(run_arguments(run.scratch, "two_teachers"));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("kept from an earlier run"));
  EXPECT_EQ(result_of(run.scratch.path("runs/two_teachers/002")).size(),
            result_of(run.folder).size() - run.bytes("metrics.jsonl").size() +
                content_of(run.scratch.path("runs/two_teachers/002/metrics.jsonl")).size());
  EXPECT_EQ(content_of(run.scratch.path("runs/two_teachers/002/student.safetensors")),
            run.bytes("student.safetensors"));
}

TEST(Several, StudentsLearnFromEachOther) {
  const Several run("mutual_learning");
  EXPECT_THAT(run.rows(), ElementsAre("a alone", "b alone", "a, a_from_b", "b, b_from_a"));
  EXPECT_THAT(run.epochs(), ElementsAre("alone.a: loss task", "alone.b: loss task",
                                        "distil: a_from_b b_from_a loss task.a task.b"));
  EXPECT_FALSE(fs::exists(run.folder / "student.safetensors"));
  EXPECT_EQ(run.bytes("a.safetensors"), run.bytes("checkpoints/distil+a-last.safetensors"));
  EXPECT_EQ(run.bytes("b.safetensors"), run.bytes("checkpoints/distil+b-last.safetensors"));
  EXPECT_THAT(run.out, HasSubstr("a.safetensors, b.safetensors"));
  const Finished evaluated = retort({"--json", "eval", run.folder.string()});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const json rows = json::parse(evaluated.out);
  ASSERT_EQ(rows.size(), 2u);
  const json results = json::parse(run.bytes("run.json"))["results"];
  EXPECT_EQ(rows[0]["test_correct"], results[2]["test_correct"]);
  EXPECT_EQ(rows[1]["test_correct"], results[3]["test_correct"]);
}

/// What a student learns alone is not changed by who else takes part.
TEST(Several, AStudentWithoutATransferLearnsAsItDoesAlone) {
  const Several run("mutual_learning", {"transfer[0].weight=0", "transfer[1].weight=0"});
  EXPECT_EQ(run.bytes("checkpoints/distil+a-last.safetensors"),
            run.bytes("checkpoints/alone.a-last.safetensors"));
  EXPECT_EQ(run.bytes("checkpoints/distil+b-last.safetensors"),
            run.bytes("checkpoints/alone.b-last.safetensors"));
}

TEST(Several, AnAssistantLearnsFirstAndThenTeaches) {
  const Several run("teacher_assistant");
  EXPECT_THAT(run.rows(), ElementsAre("teacher", "assistant, to_assistant", "student, to_student"));
  EXPECT_THAT(run.epochs(), ElementsAre("teacher: loss task", "assist: loss task to_assistant",
                                        "distil: loss task to_student"));
  EXPECT_EQ(run.bytes("assistant.safetensors"), run.bytes("checkpoints/assist-last.safetensors"));
  EXPECT_EQ(run.bytes("student.safetensors"), run.bytes("checkpoints/distil-last.safetensors"));
}

TEST(Several, ATransferComparesAnotherViewThanTheTask) {
  const Several run("second_view"), same("second_view", {"transfer[0].view=default"});
  EXPECT_THAT(run.rows(), ElementsAre("teacher", "student alone", "student, logits.kd"));
  EXPECT_NE(run.bytes("student.safetensors"), same.bytes("student.safetensors"));
  EXPECT_EQ(run.bytes("checkpoints/alone-last.safetensors"),
            same.bytes("checkpoints/alone-last.safetensors"));
}

/// Kills a run before some of its file operations; it goes on, and ends as if nothing had been.
void expect_resumes_anywhere(const std::string& name, int stride) {
  const Several whole(name, {"run.checkpoint_steps=2"});
  int operation = 61;
  for (;; operation += stride) {
    const Scratch scratch;
    std::vector<std::string> arguments = run_arguments(scratch, name);
    arguments.push_back("run.checkpoint_steps=2");
    {
      const Environment shim({{"LD_PRELOAD", RETORT_FILE_SHIM},
                              {"RETORT_SHIM_UNDER", scratch.path("runs").string()},
                              {"RETORT_SHIM_KILL_AT", std::to_string(operation)}});
      if (retort(arguments).code == 0) break;
    }
    const fs::path run = scratch.path("runs") / name / "001";
    if (!fs::exists(run / "experiment.toml")) continue;
    const Finished resumed = retort({"run", "--resume", run.string()});
    ASSERT_EQ(resumed.code, 0) << operation << "\n" << resumed.err;
    EXPECT_TRUE(result_of(run) == result_of(whole.folder))
        << "killed before operation " << operation << "\n"
        << resumed.err;
    EXPECT_EQ(json::parse(content_of(run / "run.json"))["results"].size(), whole.rows().size());
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(operation, 200);  // or the shim did not see the saves
}

TEST(Several, GoOnAfterAKillInTheHintPhaseOrBehindIt) {
  expect_resumes_anywhere("fitnet_two_stages", 487);
}
TEST(Several, GoOnAfterAKillWhileStudentsLearnFromEachOther) {
  expect_resumes_anywhere("mutual_learning", 397);
}
TEST(Several, GoOnAfterAKillWhileOrAfterTheAssistantLearns) {
  expect_resumes_anywhere("teacher_assistant", 443);
}

}  // namespace
}  // namespace retort::test
