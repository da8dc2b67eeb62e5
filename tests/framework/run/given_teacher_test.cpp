// A teacher that comes from a file: what is told of it, and what is refused, before training.
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "framework/run/teacher_quality.hpp"
#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The weights of a teacher that the tiny experiment trained, and runs that are given them.
class GivenTeacher : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<Scratch>();
    trained_ = retort({"run", tiny_experiment(*scratch_).string(), "train.epochs=6"});
    ASSERT_EQ(trained_.code, 0) << trained_.err;
  }
  static void TearDownTestSuite() { scratch_.reset(); }

  static std::filesystem::path folder() { return scratch_->path("runs/tiny/001"); }
  static std::string weights() {
    return content_of(folder() / "checkpoints/teacher-last.safetensors");
  }

  /// Runs a command on the tiny experiment with these weights for its teacher.
  static Finished with_weights(const std::string& bytes, std::vector<std::string> arguments,
                               const std::string& name = "given.safetensors") {
    const auto file = scratch_->put(name, bytes);
    arguments.insert(arguments.begin() + 1, tiny_experiment(*scratch_).string());
    arguments.push_back("teacher.weights=" + file.string());
    return retort(arguments);
  }

  /// The weights with element `at` of a tensor changed.
  static std::string changed(const std::string& tensor, size_t at, float value) {
    std::string bytes = weights();
    uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    const json header = json::parse(bytes.substr(8, length));
    const size_t first = header[tensor]["data_offsets"][0].get<size_t>();
    std::memcpy(bytes.data() + 8 + length + first + at * sizeof value, &value, sizeof value);
    return bytes;
  }

  static inline std::unique_ptr<Scratch> scratch_;
  static inline Finished trained_;
};

/// How many of the samples have each of ten classes.
std::vector<int64_t> classes_of(const std::vector<int64_t>& samples,
                                const std::function<int64_t(int64_t)>& label) {
  std::vector<int64_t> counts(10);
  for (const int64_t sample : samples) ++counts[static_cast<size_t>(label(sample))];
  return counts;
}

TEST(SpreadSamples, HoldAllClassesOfASplitInOrderAndOfOneWhereTheyTakeTurns) {
  for (const int64_t total : {2000, 10000, 10240, 50000}) {
    const std::vector<int64_t> samples = host::spread_samples(1024, total);
    ASSERT_EQ(samples.size(), 1024u);
    EXPECT_TRUE(std::is_sorted(samples.begin(), samples.end()));
    EXPECT_EQ(std::set(samples.begin(), samples.end()).size(), 1024u);
    EXPECT_LT(samples.back(), total);
    const auto in_order = classes_of(samples, [&](int64_t i) { return i * 10 / total; });
    const auto in_turn = classes_of(samples, [](int64_t i) { return i % 10; });
    EXPECT_THAT(in_order, testing::Each(testing::AllOf(testing::Ge(101), testing::Le(104))));
    EXPECT_THAT(in_turn, testing::Each(testing::AllOf(testing::Ge(80), testing::Le(125)))) << total;
  }
}

TEST(SpreadSamples, AreAllWhereThereAreFew) {
  EXPECT_THAT(host::spread_samples(1024, 3), testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(host::spread_samples(2, 2), testing::ElementsAre(0, 1));
}

TEST_F(GivenTeacher, IsEvaluatedBeforeTheStudentIsTrained) {
  const Finished run = with_weights(weights(), {"run", "name=given"});
  ASSERT_EQ(run.code, 0) << run.err;
  const size_t told = run.err.find(" of 64 test images right, top-1 ");
  ASSERT_NE(told, std::string::npos) << run.err;
  EXPECT_LT(told, run.err.find("alone     epoch 1/2"));
  const json results =
      json::parse(content_of(scratch_->path("runs/given/001/run.json")))["results"];
  const json trained = json::parse(content_of(folder() / "run.json"))["results"];
  EXPECT_EQ(results[0]["name"], "teacher");
  EXPECT_EQ(results[0]["test_correct"], trained[0]["test_correct"]);
  EXPECT_EQ(results[0]["evaluation"], trained[0]["evaluation"]);
  EXPECT_THAT(run.err, Not(HasSubstr("may be guessing")));
}

TEST_F(GivenTeacher, IsKnownToARunThatGoesOnAndChangesNoByte) {
  const auto file = scratch_->put("resumed.safetensors", weights());
  const auto arguments = [&](const char* name) {
    return std::vector<std::string>{"run", tiny_experiment(*scratch_).string(),
                                    "teacher.weights=" + file.string(), std::string("name=") + name,
                                    "train.epochs=8"};
  };
  ASSERT_EQ(retort(arguments("whole")).code, 0);
  const auto folder_of = [](const char* name) { return scratch_->path("runs") / name / "001"; };
  {
    Program stopped(arguments("stopped"));
    const auto states = folder_of("stopped") / "checkpoints/resume";
    while (stopped.running() && !std::filesystem::exists(states)) usleep(1000);
    stopped.send(SIGTERM);
    ASSERT_EQ(stopped.wait().code, 143);
  }
  const Finished resumed = retort({"run", "--resume", folder_of("stopped").string()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr(" of 64 test images right"));
  for (const char* name : {"student.safetensors", "metrics.jsonl"}) {
    EXPECT_EQ(content_of(folder_of("stopped") / name), content_of(folder_of("whole") / name));
  }
  const auto results = [&](const char* name) {
    return json::parse(content_of(folder_of(name) / "run.json"))["results"];
  };
  ASSERT_EQ(results("stopped").size(), 3u);
  EXPECT_EQ(results("stopped")[0], results("whole")[0]);
}

TEST_F(GivenTeacher, AtChanceIsWarnedOfBeforeTheStudentIsTrained) {
  // Weights at their start: those of a student that learned nothing.
  const Finished made = retort({"run", tiny_experiment(*scratch_).string(), "name=untrained",
                                "teacher.train.epochs=1", "teacher.train.optimizer.lr=1e-12",
                                "baseline.student_alone=false"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.err, HasSubstr("the teacher may be guessing"));
  const auto run_folder = scratch_->path("runs/untrained/001");
  const Finished run = with_weights(content_of(run_folder / "checkpoints/teacher-last.safetensors"),
                                    {"run", "name=chance"});
  ASSERT_EQ(run.code, 0) << run.err;
  const size_t told = run.err.find("the teacher may be guessing: ");
  EXPECT_LT(told, run.err.find("alone     epoch 1/2"));
  const json record = json::parse(content_of(scratch_->path("runs/chance/001/run.json")));
  EXPECT_THAT(record["warnings"][0].get<std::string>(), HasSubstr("is not clearly above chance"));
  EXPECT_THAT(content_of(scratch_->path("runs/chance/001/report.html")),
              HasSubstr("Warning: the teacher may be guessing"));
}

/// With a test split of more samples than check looks at.
class TeacherThatCheckSees : public GivenTeacher {
 protected:
  static Finished check(const std::string& bytes, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--json", "check", "data.test=3000"});
    const auto file = scratch_->put("seen.safetensors", bytes);
    more.insert(more.begin() + 2, tiny_experiment(*scratch_).string());
    more.push_back("teacher.weights=" + file.string());
    return retort(more);
  }
};

TEST_F(TeacherThatCheckSees, IsEvaluatedOnSamplesSpreadOverTheSplit) {
  const Finished good = check(weights());
  ASSERT_EQ(good.code, 0) << good.err;
  const json facts = json::parse(good.out);
  const json sample = facts["teacher"]["test_sample"];
  EXPECT_EQ(sample["samples"], 1024);
  EXPECT_EQ(sample["available"], 3000);
  EXPECT_GT(sample["top1"], 20);
  EXPECT_THAT(facts["teacher"]["weights"].get<std::string>(),
              testing::EndsWith("seen.safetensors"));
  EXPECT_EQ(facts["warnings"], json::array());
}

TEST_F(TeacherThatCheckSees, AtChanceIsWarnedOf) {
  const Finished guessing = check(changed("fc.bias", 0, 1e6F));
  ASSERT_EQ(guessing.code, 0) << guessing.err;
  const std::string told = " of 1,024 test images (spread over all 3,000) right, ";
  EXPECT_THAT(guessing.err, AllOf(HasSubstr("the teacher may be guessing: "), HasSubstr(told)));
  const json warnings = json::parse(guessing.out)["warnings"];
  ASSERT_EQ(warnings.size(), 1u) << warnings;
  EXPECT_THAT(warnings[0].get<std::string>(),
              AllOf(HasSubstr(told), HasSubstr("is not clearly above chance with 10 classes")));
}

TEST_F(GivenTeacher, IsToldByCheckWithHowManyItNamesRightly) {
  const Finished check = with_weights(weights(), {"check"});
  EXPECT_THAT(check.out, HasSubstr(" of 64 test images right, top-1 "));
  EXPECT_THAT(check.out, testing::ContainsRegex("top-1 .* %, with .*given.safetensors"));
}

TEST_F(GivenTeacher, KeptFromAnEarlierRunIsWhatCheckSees) {
  const Finished check =
      retort({"--json", "check", tiny_experiment(*scratch_).string(), "train.epochs=6"});
  ASSERT_EQ(check.code, 0) << check.err;
  const json facts = json::parse(check.out), kept = json::parse(content_of(folder() / "run.json"));
  EXPECT_EQ(facts["teacher"]["test_sample"]["correct"], kept["results"][0]["test_correct"]);
  EXPECT_EQ(facts["phases"].size(), 2u) << "the teacher is not trained again";
  EXPECT_THAT(facts["files"].dump(), Not(HasSubstr("teachers/")));
}

TEST_F(GivenTeacher, WorseThanTheStudentAloneIsWarnedOfAtTheEnd) {
  std::string bytes = weights();
  const Finished run =
      with_weights(changed("fc.bias", 0, 1e6F), {"run", "name=worse", "train.epochs=8"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("the teacher is worse than the student alone: "));
  const json record = json::parse(content_of(scratch_->path("runs/worse/001/run.json")));
  EXPECT_EQ(record["warnings"].size(), 2u) << record["warnings"];
}

TEST_F(GivenTeacher, WithNanIsNamedByTensorInEveryCommand) {
  const std::string bytes = changed("conv1.weight", 9, std::numeric_limits<float>::quiet_NaN());
  for (const char* command : {"check", "run", "eval"}) {
    const Finished finished = with_weights(bytes, {command});
    EXPECT_EQ(finished.code, 3) << command;
    EXPECT_THAT(
        finished.err,
        AllOf(HasSubstr("given.safetensors: no network can compute with these weights: "),
              HasSubstr("conv1.weight: 1 of 144 values are not finite in float32, the first is "
                        "nan at [1, 0, 0, 0]"),
              Not(HasSubstr("epoch"))))
        << command;
  }
}

TEST_F(GivenTeacher, WithANegativeVarianceIsNamed) {
  const Finished run = with_weights(changed("bn1.running_var", 5, -1), {"check"});
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err,
              HasSubstr("bn1.running_var: 1 of 16 variances are below 0, the first is -1 at [5]"));
}

TEST_F(GivenTeacher, OfTorchSaveIsNamedWithTheLinesThatConvertIt) {
  // The beginning of a file of torch.save before its zip format.
  const std::string pickle("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e\x80\x02M",
                           18);
  const Finished run = with_weights(pickle, {"run"}, "given.pth");
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, AllOf(HasSubstr("given.pth: is a PyTorch file"), HasSubstr("torch.load("),
                             HasSubstr("safetensors.torch.save_file("), Not(HasSubstr("damaged"))));
}

TEST_F(GivenTeacher, TellsOnceOfARenameThatFitsNothing) {
  const Finished run =
      with_weights(weights(), {"check", "teacher.rename={ \"fc.\" = \"fc\", \"modul\" = \"\" }"});
  EXPECT_EQ(run.code, 0) << run.err;
  const std::string told = "teacher.rename: \"modul\" begins no name in the file";
  ASSERT_THAT(run.err, HasSubstr(told));
  EXPECT_EQ(run.err.find(told), run.err.rfind(told));
}

TEST_F(GivenTeacher, RefusesTwoRulesForOneBeginning) {
  const Finished run =
      with_weights(weights(), {"check", "teacher.rename={ \"fc.\" = \"a\", \"fc\" = \"b\" }"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("is the same beginning as \"fc\"; keep one of the two"));
}

TEST_F(GivenTeacher, KeptWithNanIsToldAndTrainedAgain) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto& kept : std::filesystem::directory_iterator(scratch_->path("runs/teachers"))) {
    std::string bytes = content_of(kept.path());
    std::memcpy(bytes.data() + bytes.size() - sizeof nan, &nan, sizeof nan);
    std::ofstream(kept.path(), std::ios::binary) << bytes;
  }
  const Finished run = retort({"run", tiny_experiment(*scratch_).string(), "train.epochs=6"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.err, AllOf(HasSubstr("cannot be used and is trained again"),
                             HasSubstr("its weights are not those that were written")));
}

TEST(KeptTeacher, WithOneBitOfItsWeightsFlippedIsTrainedAgain) {
  const Scratch scratch;
  ASSERT_EQ(run_tiny(scratch, {}).code, 0);
  for (const auto& kept : std::filesystem::directory_iterator(scratch.path("runs/teachers"))) {
    std::string bytes = content_of(kept.path());
    bytes[bytes.size() - 4] = static_cast<char>(bytes[bytes.size() - 4] ^ 1);
    std::ofstream(kept.path(), std::ios::binary) << bytes;
  }
  const Finished run = run_tiny(scratch, {});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("it is damaged"));
  const auto student = [&](const char* folder) {
    return content_of(scratch.path("runs/tiny") / folder / "student.safetensors");
  };
  EXPECT_EQ(student("001"), student("002"));
}

/// Without transfers dot steps as sgd does, so the two are the same training.
TEST(KeptTeacher, OfSgdServesARunWithDotWhoseBaselineIsTheSameToo) {
  const Scratch scratch;
  ASSERT_EQ(run_tiny(scratch, {}).code, 0);
  const Finished run = run_tiny(scratch, {"train.optimizer={ name = \"dot\", lr = 0.05 }"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("kept from an earlier run"));
  const auto bytes = [&](const char* folder, const char* file) {
    return content_of(scratch.path("runs/tiny") / folder / file);
  };
  const char* alone = "checkpoints/alone-last.safetensors";
  EXPECT_EQ(bytes("001", alone), bytes("002", alone));
  EXPECT_NE(bytes("001", "student.safetensors"), bytes("002", "student.safetensors"));
}

TEST_F(GivenTeacher, KeptIsJudgedByWhatItGivesNotByWhatItsFileSays) {
  const Scratch scratch;
  const std::string experiment = tiny_experiment(scratch).string();
  ASSERT_EQ(retort({"run", experiment}).code, 0);
  for (const auto& kept : std::filesystem::directory_iterator(scratch.path("runs/teachers"))) {
    std::string bytes = content_of(kept.path());
    const std::string says = "\"test_correct\":\"";
    const size_t at = bytes.find(says);
    ASSERT_NE(at, std::string::npos);
    char& digit = bytes[at + says.size()];
    digit = digit == '1' ? '2' : '1';
    std::ofstream(kept.path(), std::ios::binary) << bytes;
  }
  const Finished run = retort({"run", experiment});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.err, AllOf(HasSubstr("kept from an earlier run"),
                             HasSubstr("test images are right, but it gives")));
  const auto accuracy_in = [&](const char* folder) {
    const std::string table = content_of(scratch.path("runs/tiny") / folder / "summary.csv");
    const size_t at = table.find("\"teacher\"");
    return table.substr(at,
                        table.find(",,", at) - at);  // before the time, which a kept one has not
  };
  EXPECT_EQ(accuracy_in("001"), accuracy_in("002"));
}

TEST_F(GivenTeacher, OfAnOldRunIsRefusedByEvalWhereItsStudentIsSpoilt) {
  const auto copy = scratch_->path("spoilt");
  std::filesystem::copy(folder(), copy, std::filesystem::copy_options::recursive);
  std::string bytes = content_of(copy / "student.safetensors");
  const float infinite = std::numeric_limits<float>::infinity();
  std::memcpy(bytes.data() + bytes.size() - sizeof infinite, &infinite, sizeof infinite);
  std::ofstream(copy / "student.safetensors", std::ios::binary) << bytes;
  const Finished eval = retort({"eval", copy.string()});
  EXPECT_EQ(eval.code, 3);
  EXPECT_THAT(eval.err, AllOf(HasSubstr("student.safetensors: no network can compute"),
                              HasSubstr("the first is inf at [")));
}

}  // namespace
}  // namespace retort::test
