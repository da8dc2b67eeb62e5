// Run folders that came from somebody else: read, listed, compared and resumed without harm.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A finished run and an experiment folder around it, shared; each test works on a copy.
class ForeignRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    made_ = std::make_unique<Scratch>();
    const Finished run = retort({"run", tiny_experiment(*made_).string(), "train.epochs=1"});
    ASSERT_EQ(run.code, 0) << run.err;
  }
  static void TearDownTestSuite() { made_.reset(); }

  ForeignRun() { copy("001"); }
  fs::path copy(const std::string& number) const {
    const fs::path to = scratch_.path("tiny") / number;
    fs::create_directories(to);
    fs::copy(made_->path("runs/tiny/001"), to,
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    return to;
  }
  fs::path run() const { return scratch_.path("tiny/001"); }
  /// Replaces a value of run.json.
  void spoil(const std::string& pointer, const json& value) const {
    json results = json::parse(content_of(run() / "run.json"));
    results[json::json_pointer(pointer)] = value;
    scratch_.put("tiny/001/run.json", results.dump());
  }
  /// Puts a link to a file of somebody in place of one of the run's.
  fs::path link(const std::string& name) const {
    const fs::path victim = scratch_.put("victim", "precious\n");
    fs::remove_all(run() / name);
    fs::create_symlink(victim, run() / name);
    return victim;
  }

  static inline std::unique_ptr<Scratch> made_;
  const Scratch scratch_;
};

TEST_F(ForeignRun, WithNegativeClassesIsRefusedByEveryCommand) {
  spoil("/results/1/evaluation/confusion/0/0", -1);
  fs::remove(run() / "report.html");
  const std::string page = scratch_.path("page.html").string();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"compare", run().string()},
        {"compare", "--csv", run().string()},
        {"--json", "compare", run().string()},
        {"compare", run().string(), "--html", page},
        {"run", "--resume", run().string()}}) {
    const Finished told = retort(command);
    EXPECT_EQ(told.code, 3) << told.err;
    EXPECT_THAT(told.err, HasSubstr("run.json: results[1].evaluation.confusion[0] = -1"));
  }
  EXPECT_FALSE(fs::exists(page));
}

TEST_F(ForeignRun, ThatIsFinishedButDoesNotSayItIsNotTrainedAgain) {
  for (const char* text : {"{}", "{\"status\": \"running\"}"}) {
    scratch_.put("tiny/001/run.json", text);
    const std::string student = content_of(run() / "student.safetensors");
    const Finished resumed = retort({"run", "--resume", run().string()});
    EXPECT_EQ(resumed.code, 3) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("holds a student.safetensors and no saved state"));
    EXPECT_EQ(content_of(run() / "student.safetensors"), student);
  }
}

TEST_F(ForeignRun, IsNotEvaluatedThroughALink) {
  for (const char* name : {"student.safetensors", "experiment.toml"}) {
    copy("001");
    link(name);
    const Finished eval = retort({"eval", run().string()});
    EXPECT_EQ(eval.code, 3) << eval.err;
    EXPECT_THAT(eval.err, HasSubstr(std::string(name) + ": is a link"));
    fs::remove(run() / name);
  }
}

TEST_F(ForeignRun, ThatIsDamagedIsListedWithTheReasonBesideTheOthers) {
  copy("002");
  spoil("/status", json::array());
  const Finished list = retort({"ls", "runs", scratch_.folder().string()});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_THAT(list.out, AllOf(HasSubstr("unreadable: "), HasSubstr("status = a list"),
                              HasSubstr("tiny/002"), HasSubstr("finished")));
  const Finished as_json = retort({"--json", "ls", "runs", scratch_.folder().string()});
  EXPECT_EQ(json::parse(as_json.out).size(), 2u);
}

TEST_F(ForeignRun, OfSeveralStudentsIsListedWithEachByItsName) {
  const auto row = [](const char* name, double top1, const char* alone) {
    return json{{"name", name}, {"top1", top1}, {"alone", alone}, {"teacher", "teacher"}};
  };
  spoil("/results", json::array({row("a\x1B alone", 60, ""), row("b, kd", 70.9, "b alone"),
                                 row("a\x1B, kd", 71.25, "a\x1B alone")}));
  const Finished list = retort({"ls", "runs", scratch_.folder().string()});
  EXPECT_THAT(list.out,
              AllOf(HasSubstr(" 71.25  seed 3      finished   a"), Not(HasSubstr("\x1B"))));
  EXPECT_TRUE(list.out.ends_with(" 71.25, b 70.90\n")) << list.out;
  const json told =
      json::parse(retort({"--json", "ls", "runs", scratch_.folder().string()}).out).at(0);
  EXPECT_EQ(told["top1"], 71.25);
  ASSERT_EQ(told["students"].size(), 2u);
  EXPECT_EQ(told["students"][1], json({{"name", "b"}, {"top1", 70.9}}));
}

TEST_F(ForeignRun, OfOneStudentIsListedWithoutItsName) {
  const Finished list = retort({"ls", "runs", scratch_.folder().string()});
  EXPECT_TRUE(list.out.ends_with("finished\n")) << list.out;
  const std::string told = retort({"--json", "ls", "runs", scratch_.folder().string()}).out;
  EXPECT_THAT(told, Not(HasSubstr("students")));
}

TEST_F(ForeignRun, ShowsNoControlCharacters) {
  spoil("/experiment", "e\x1B[2J\xE2\x80\xAE");
  spoil("/results/1/name", "student\x1B]0;x\x07");
  spoil("/status", "failed: a\x1B[1m\nb");
  for (const char* option : {"--csv", "--json"}) {
    const Finished table = retort({"compare", option, run().string()});
    EXPECT_EQ(table.code, 0) << table.err;
    EXPECT_THAT(table.out + table.err, AllOf(Not(HasSubstr("\x1B")), Not(HasSubstr("\x07")),
                                             Not(HasSubstr("\xE2\x80\xAE"))));
  }
  const Finished list = retort({"ls", "runs", scratch_.folder().string()});
  EXPECT_THAT(list.out, AllOf(HasSubstr("failed: a"), Not(HasSubstr("\x1B"))));
}

TEST_F(ForeignRun, IsNotWrittenThroughItsLinks) {
  for (const char* name : {"owner", "metrics.jsonl"}) {
    copy("001");
    fs::remove(run() / "run.json");
    const fs::path victim = link(name);
    const Finished resumed = retort({"run", "--resume", run().string()});
    EXPECT_EQ(resumed.code, 3) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr(std::string(name) + ": is a link"));
    EXPECT_EQ(content_of(victim), "precious\n");
    fs::remove(run() / name);
  }
}

TEST_F(ForeignRun, LeadsNowhereWithItsCheckpoints) {
  fs::remove(run() / "run.json");
  fs::create_directories(scratch_.path("elsewhere/resume"));
  scratch_.put("elsewhere/resume/000001.json", "precious\n");
  fs::remove_all(run() / "checkpoints");
  fs::create_directory_symlink(scratch_.path("elsewhere"), run() / "checkpoints");
  const Finished resumed = retort({"run", "--resume", run().string()});
  EXPECT_EQ(resumed.code, 3) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("checkpoints: is a link"));
  EXPECT_EQ(content_of(scratch_.path("elsewhere/resume/000001.json")), "precious\n");
}

TEST_F(ForeignRun, WithAPipeIsNotWaitedFor) {
  for (const char* name : {"owner", "run.json", "metrics.jsonl", "experiment.toml"}) {
    copy("001");
    fs::remove(run() / name);
    ASSERT_EQ(mkfifo((run() / name).c_str(), 0600), 0);
    retort({"ls", "runs", scratch_.folder().string()});
    const int wanted = std::string(name) == "owner" ? 0 : 3;
    EXPECT_EQ(retort({"compare", run().string()}).code, wanted) << name;
    fs::remove(run() / name);
  }
}

TEST_F(ForeignRun, IsComparedAndEvaluatedWithTheOthersOfItsFolder) {
  copy("002");
  copy("003");
  spoil("/results/0/top1", "high");
  const Finished table = retort({"--json", "compare", scratch_.path("tiny").string()});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.err, AllOf(HasSubstr("left out: "), HasSubstr("results[0].top1 = \"high\""),
                               HasSubstr("is not counted")));
  EXPECT_EQ(json::parse(table.out)[0]["top1"]["runs"], 1);
  fs::remove(scratch_.path("tiny/003/student.safetensors"));
  const Finished eval = retort({"--json", "eval", scratch_.path("tiny").string()});
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_THAT(eval.err, HasSubstr("003 has no student.safetensors"));
  const json rows = json::parse(eval.out);
  EXPECT_EQ(rows.front()["run"], run().string());
  EXPECT_EQ(rows.back()["run"], scratch_.path("tiny/002").string());
}

}  // namespace
}  // namespace retort::test
