// Experiments with more than one phase, teacher, student or view: those of the repository, on a few
// synthetic images.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/framework/run/resuming.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
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

/// A run of two phases that a signal stopped in the second.
struct Stopped {
  explicit Stopped(const std::string& name) : run(scratch.path("runs") / name / "001") {
    std::vector<std::string> arguments = run_arguments(scratch, name);
    arguments.insert(arguments.end(), {"run.checkpoint_steps=1", "train.epochs=12"});
    Program program(arguments);
    const auto in_second = [&] {
      return program.err().find("distil    epoch") != std::string::npos;
    };
    while (program.running() && !in_second())
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    program.send(SIGKILL);
    program.wait();
  }
  Finished resume(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments = {"run", "--resume", run.string()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return retort(arguments);
  }
  void replace(const std::string& from, const std::string& to) const {
    std::string text = content_of(run / "experiment.toml");
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    scratch.put("runs/fitnet_two_stages/001/experiment.toml", text.replace(at, from.size(), to));
  }
  Scratch scratch;
  fs::path run;
};

TEST(Several, AnotherListOfPhasesIsRefusedWhateverIsAccepted) {
  const Stopped stopped("fitnet_two_stages");
  stopped.replace("name = \"hint\"\nterms", "name = \"warm\"\nterms");
  for (const auto& options : {std::vector<std::string>(), {"--accept-changes"}}) {
    const Finished refused = stopped.resume(options);
    EXPECT_EQ(refused.code, 2) << refused.err;
    EXPECT_THAT(refused.err,
                AllOf(HasSubstr("its phases were \"hint\" of [\"hint\"], learns "
                                "[\"student:layer2\", \"hint\"], \"distil\""),
                      HasSubstr("and are \"warm\" of [\"hint\"]"), HasSubstr("restore")));
  }
}

TEST(Several, WeightsOfEarlierPhasesThatAreDamagedAreAllToldBeforeAnythingTrains) {
  const Stopped stopped("fitnet_two_stages");
  fs::remove(stopped.run / "checkpoints/hint-last.safetensors");
  fs::resize_file(stopped.run / "checkpoints/alone-last.safetensors", 100);
  const Finished refused = stopped.resume();
  EXPECT_EQ(refused.code, 3) << refused.err;
  EXPECT_THAT(refused.err, AllOf(HasSubstr("hint-last.safetensors: damaged"),
                                 HasSubstr("alone-last.safetensors: damaged"),
                                 HasSubstr("restore the file, or run the experiment anew")));
}

TEST(Several, ATapThatNoTermReachesIsRefusedAndAWholeHintPhaseIsWarnedOf) {
  const Scratch scratch;
  const auto check = [&](const std::string& learn) {
    std::vector<std::string> arguments = run_arguments(scratch, "fitnet_two_stages");
    arguments[0] = "check";
    arguments.push_back("phase[0].learn=" + learn);
    return retort(arguments);
  };
  const Finished refused = check("[\"student:layer3\", \"hint\"]");
  EXPECT_EQ(refused.code, 2) << refused.err;
  EXPECT_THAT(refused.err, AllOf(HasSubstr("phase \"hint\", learn \"student:layer3\""),
                                 HasSubstr("no term of the phase reaches that tap")));
  const Finished warned = check("[\"student\", \"hint\"]");
  EXPECT_EQ(warned.code, 0) << warned.err;
  EXPECT_THAT(warned.err, HasSubstr("phase \"hint\": no term of it reaches"));
  const Finished idle = check("[\"student:layer2\"]");
  EXPECT_EQ(idle.code, 0) << idle.err;
  EXPECT_THAT(idle.err, HasSubstr("phase \"hint\" does not learn them; add \"hint\" to its learn"));
}

/// What `check --json` calls its own facts.
TEST(Several, ANetworkMayBeCalledAsAFactOfCheck) {
  const Scratch scratch;
  std::vector<std::string> arguments = run_arguments(scratch, "mutual_learning");
  arguments[0] = "check";
  arguments.insert(arguments.end(), {"student[0].name=files", "transfer[0].student=files",
                                     "transfer[1].teacher=files"});
  const Finished check = retort(arguments);
  EXPECT_EQ(check.code, 0) << check.err;
  EXPECT_THAT(check.out, HasSubstr("files     resnet depth=8"));
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
  expect_resumes_anywhere("fitnet_two_stages", 907);
}
TEST(Several, GoOnAfterAKillWhileStudentsLearnFromEachOther) {
  expect_resumes_anywhere("mutual_learning", 601);
}
TEST(Several, GoOnAfterAKillWhileOrAfterTheAssistantLearns) {
  expect_resumes_anywhere("teacher_assistant", 881);
}

}  // namespace
}  // namespace retort::test
