// A whole run of the program, and what it leaves.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// One finished run, shared by the tests that only look at it.
class Run : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<Scratch>();
    finished_ = retort({"run", tiny_experiment(*scratch_).string()});
  }
  static void TearDownTestSuite() { scratch_.reset(); }

  static std::filesystem::path folder(const char* number = "001") {
    return scratch_->path("runs") / "tiny" / number;
  }
  static std::string file(const char* name) { return content_of(folder() / name); }

  static inline std::unique_ptr<Scratch> scratch_;
  static inline Finished finished_;
};

TEST_F(Run, EndsWell) { EXPECT_EQ(finished_.code, 0) << finished_.err; }

TEST_F(Run, PrintsTheTableAndNothingElseOnStdout) {
  const std::vector<std::string> lines = lines_of(finished_.out);
  ASSERT_EQ(lines.size(), 5u) << finished_.out;
  EXPECT_THAT(lines[0], MatchesRegex(" +top-1 % +vs alone +train time"));
  EXPECT_THAT(lines[1], MatchesRegex("teacher +[0-9.]+ +0:0[0-9]"));
  EXPECT_THAT(lines[2], MatchesRegex("student alone +[0-9.]+ +0:0[0-9]"));
  EXPECT_THAT(
      lines[3],
      MatchesRegex("student, logits.kd \\+ feature.fitnet +[0-9.]+ +[+-] [0-9.]+ +0:0[0-9]"));
  EXPECT_THAT(lines[4], HasSubstr("wrote " + folder().string()));
}

TEST_F(Run, LogsOnStderrWithoutColourOrCarriageReturns) {
  EXPECT_THAT(finished_.err, AllOf(HasSubstr("seed 3"), HasSubstr("data      synthetic"),
                                   HasSubstr("teacher   convnet"), HasSubstr("to be trained"),
                                   HasSubstr("student   convnet width=0.5"),
                                   HasSubstr("distil    epoch 2/2  top-1 ")));
  EXPECT_THAT(finished_.err + finished_.out, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\r"))));
}

TEST_F(Run, LeavesAWholeRunFolder) {
  for (const char* name :
       {"experiment.toml", "retort.lock", "metrics.jsonl", "summary.csv", "run.json", "report.html",
        "student.safetensors", "checkpoints/teacher-best.safetensors",
        "checkpoints/alone-last.safetensors", "checkpoints/distil-last.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(folder() / name)) << name;
  }
}

TEST_F(Run, WritesALineOfMetricsForEachEpoch) {
  const std::vector<std::string> lines = lines_of(file("metrics.jsonl"));
  ASSERT_EQ(lines.size(), 6u);
  const json last = json::parse(lines[5]);
  EXPECT_EQ(last["phase"], "distil");
  EXPECT_EQ(last["epoch"], 2);
  EXPECT_EQ(last["test_total"], 64);
  EXPECT_TRUE(last["losses"].contains("logits.kd"));
  EXPECT_FALSE(last["losses"].contains("feature.fitnet"));  // its weight is 0 by then
}

TEST_F(Run, WritesTheHeaderOfItsSummaryOnce) {
  const std::vector<std::string> lines = lines_of(file("summary.csv"));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], "name,test_correct,test_total,top1,versus_alone,train_seconds");
}

TEST_F(Run, SaysWhatItRanOnInRunJson) {
  const json run = json::parse(file("run.json"));
  EXPECT_EQ(run["status"], "finished");
  EXPECT_EQ(run["seed"], 3);
  EXPECT_EQ(run["device"], "cpu");
  EXPECT_EQ(run["threads"], 1);
  EXPECT_EQ(run["results"].size(), 3u);
}

TEST_F(Run, RecordsTheSizeOfEachNetworkAsCheckTellsIt) {
  const Finished check = retort({"--json", "check", tiny_experiment(*scratch_).string()});
  ASSERT_EQ(check.code, 0) << check.err;
  const json facts = json::parse(check.out), results = json::parse(file("run.json"))["results"];
  for (size_t row = 0; row < 3; ++row) {
    for (const char* count : {"parameters", "multiply_adds"}) {
      EXPECT_EQ(results[row][count], facts[row == 0 ? "teacher" : "student"][count]);
    }
  }
  EXPECT_GT(results[0]["parameters"], results[1]["parameters"]);
}

TEST_F(Run, EvaluatesEachNetworkInDetailAndAgainstTheTeacher) {
  const json run = json::parse(file("run.json"));
  EXPECT_EQ(run["results"][0]["evaluation"]["classes"], 10);
  EXPECT_FALSE(run["results"][0]["evaluation"].contains("confusion"));
  for (const json& result : run["results"]) {
    EXPECT_EQ(result["evaluation"]["top1"], result["top1"]);
    if (result["name"] == "teacher") continue;
    int64_t samples = 0;
    for (const json& pair : result["evaluation"]["confusion"]) samples += pair[2].get<int64_t>();
    EXPECT_EQ(samples, 64);
  }
}

TEST_F(Run, LocksThePluginsThatItUsed) {
  const std::string lock = file("retort.lock");
  for (const char* id : {"convnet", "feature.fitnet", "logits.kd", "synthetic"}) {
    EXPECT_THAT(lock, HasSubstr(std::string("\n") + id + " 1."));
  }
}

TEST_F(Run, EvaluatesToTheAccuracyOfItsTable) {
  const Finished eval = retort({"eval", "--json", folder().string()});
  ASSERT_EQ(eval.code, 0) << eval.err;
  const json rows = json::parse(eval.out), results = json::parse(file("run.json"))["results"];
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["name"], "teacher");
  EXPECT_EQ(rows[0]["test_correct"], results[0]["test_correct"]);
  EXPECT_EQ(rows[1]["name"], "student");
  EXPECT_EQ(rows[1]["test_correct"], results[2]["test_correct"]);
}

TEST_F(Run, EvaluatesWhateverItsFolderIsCalled) {
  const std::filesystem::path odd = scratch_->path("it's \"odd\"");
  std::filesystem::copy(folder(), odd, std::filesystem::copy_options::recursive);
  const Finished eval = retort({"eval", odd.string()});
  EXPECT_EQ(eval.code, 0) << eval.err;
  EXPECT_THAT(eval.out, HasSubstr("of 64 right   top-1 "));
  EXPECT_THAT(eval.out, HasSubstr((odd / "student.safetensors").string()));
}

TEST_F(Run, GivesTheSameBytesForTheSameSeed) {
  const Scratch other;
  const Finished again = retort({"run", tiny_experiment(other).string()});
  ASSERT_EQ(again.code, 0) << again.err;
  for (const char* name : {"student.safetensors", "metrics.jsonl"}) {
    EXPECT_TRUE(file(name) == content_of(other.path("runs/tiny/001") / name)) << name;
  }
}

TEST_F(Run, KeepsTheTeacherForTheNextAndPrintsJson) {
  const Finished second =
      retort({"run", tiny_experiment(*scratch_).string(), "name=second", "--json"});
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("kept from an earlier run"));
  EXPECT_THAT(second.err, Not(HasSubstr("teacher   epoch")));
  EXPECT_NO_THROW(json::parse(second.out)) << second.out;
  const auto student = scratch_->path("runs/second/001/student.safetensors");
  EXPECT_TRUE(file("student.safetensors") == content_of(student));
}

TEST_F(Run, TrainsAnotherTeacherForAnotherSeed) {
  const Finished seeded = retort(
      {"run", tiny_experiment(*scratch_).string(), "name=seeded", "seed=4", "train.epochs=1"});
  ASSERT_EQ(seeded.code, 0) << seeded.err;
  EXPECT_THAT(seeded.err, HasSubstr("teacher   epoch 1/1"));
}

TEST(KeptTeacher, ThatIsDamagedIsTrainedAgain) {
  const Scratch scratch;
  const std::string experiment = tiny_experiment(scratch).string();
  ASSERT_EQ(retort({"run", experiment}).code, 0);
  const auto kept = std::filesystem::directory_iterator(scratch.path("runs/teachers"))->path();
  const std::string bytes = content_of(kept);
  std::filesystem::resize_file(kept, bytes.size() / 2);
  const Finished again = retort({"run", experiment});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err,
              HasSubstr("warning: the kept teacher cannot be used and is trained again"));
  EXPECT_THAT(again.err, HasSubstr(kept.string()));
  EXPECT_TRUE(content_of(kept) == bytes);
  EXPECT_TRUE(content_of(scratch.path("runs/tiny/001/student.safetensors")) ==
              content_of(scratch.path("runs/tiny/002/student.safetensors")));
}

/// The tiny experiment on images from which the teacher learns all: nothing is to be warned of.
std::vector<std::string> easy_run(const Scratch& scratch) {
  return {"run", tiny_experiment(scratch).string(), "data.noise=0.05", "data.train=512",
          "data.augment=[]"};
}

TEST(QuietRun, SaysNothingBesidesItsResults) {
  const Scratch scratch;
  std::vector<std::string> arguments = easy_run(scratch);
  arguments.push_back("-q");
  const Finished finished = retort(arguments);
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(lines_of(finished.out).size(), 5u);
}

TEST(VerboseRun, TellsEachFileThatItWrites) {
  const Scratch scratch;
  const Finished finished = retort({"run", "-v", tiny_experiment(scratch).string()});
  EXPECT_THAT(finished.err, HasSubstr("debug: wrote " + scratch.path("runs/tiny/001").string() +
                                      "/student.safetensors"));
}

TEST(JsonLog, HasAnObjectOnEachLine) {
  const Scratch scratch;
  std::vector<std::string> arguments = easy_run(scratch);
  arguments.insert(arguments.end(), {"--log-format", "json"});
  const Finished finished = retort(arguments);
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_GT(lines_of(finished.err).size(), 8u);
  for (const std::string& line : lines_of(finished.err)) {
    EXPECT_EQ(json::parse(line)["level"], "info") << line;
  }
}

TEST(RunHeader, TellsWhatIsTrainedOnAndWhatIsHeldOut) {
  const Scratch scratch;
  const Finished finished = retort({"run", tiny_experiment(scratch).string(), "train.epochs=1",
                                    "data.train_samples=100", "data.validation=0.1"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err,
              HasSubstr("data      synthetic   90 of 128 train, 10 held out, 64 test, 1 x 8 x 8"));
}

TEST(RunWithoutATeacher, TrainsTheStudentAlone) {
  const Scratch scratch;
  const std::string text = content_of(tiny_experiment(scratch));
  const size_t teacher = text.find("[teacher]"), student = text.find("[student]");
  const size_t task = text.find("[task]"), train = text.find("[train]");
  scratch.put("alone.toml",
              text.substr(0, teacher) + text.substr(student, task - student) + text.substr(train));
  const Finished finished = retort({"run", scratch.path("alone.toml").string()});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(lines_of(finished.out).size(), 3u) << finished.out;
  EXPECT_EQ(retort({"eval", scratch.path("runs/tiny/001").string()}).code, 0);
}

}  // namespace
}  // namespace retort::test
