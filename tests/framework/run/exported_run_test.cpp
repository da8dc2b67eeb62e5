// Networks of PyTorch as teachers and students of whole runs, through the program.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/framework/exported/made_files.hpp"
#include "tests/framework/exported/pt2_builder.hpp"
#include "tests/framework/run/resuming.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kCommon = R"(
name = "exported"
[data]
dataset = "synthetic"
train = 48
test = 32
size = 32
channels = 3
batch_size = 16
[train]
epochs = 2
optimizer = { name = "sgd", lr = 0.05 }
[run]
device = "cpu"
threads = 1
checkpoint_steps = 1
)";

class ExportedRuns : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_made_files()) GTEST_SKIP() << kNoMadeFiles;
  }

  /// An experiment with networks from made files, or from `file` of the scratch folder.
  fs::path experiment(const std::string& networks) const {
    return scratch_.put("exported.toml", kCommon + ("out = \"" + scratch_.path("runs").string() +
                                                    "\"\n" + networks));
  }
  static std::string made(const std::string& name) { return made_file(name).string(); }
  /// A transformer teaches a network with dropout, both PyTorch's.
  static std::string both() {
    return "[teacher]\nmodel = \"exported\"\nfile = \"" + made("vit_rand.pt2") +
           "\"\n[student]\nmodel = \"exported\"\nfile = \"" + made("mobilenet.pt2") +
           "\"\n[[transfer]]\nstrategy = \"logits.kd\"\nweight = 0.9\ntemperature = 4\n";
  }
  static std::string teacher_of_file(const fs::path& file) {
    return "[teacher]\nmodel = \"exported\"\nfile = \"" + file.string() +
           "\"\n[student]\nmodel = \"convnet\"\n";
  }
  std::string refusal(const std::string& networks) const {
    const Finished checked = retort({"check", experiment(networks).string()});
    EXPECT_NE(checked.code, 0);
    return checked.err;
  }

  Scratch scratch_;
  fs::path run_ = scratch_.path("runs/exported/001");
};

TEST_F(ExportedRuns, TrainTeacherAndStudentAndRepeatToTheByte) {
  const fs::path file = experiment(both());
  const Finished first = retort({"run", file.string()});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err,
              AllOf(HasSubstr("exported vit_rand.pt2"), HasSubstr("exported mobilenet.pt2"),
                    HasSubstr("starts as its file does, whatever the seed")));
  const std::string result = result_of(run_);
  fs::remove_all(scratch_.path("runs"));
  const Finished again = retort({"run", file.string()});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(result_of(run_) == result) << "a second run has other bytes";
}

TEST_F(ExportedRuns, TakeATeacherAsItsFileHasItUnlessItIsToBeTrained) {
  const Finished given = retort({"run", experiment(both()).string()});
  ASSERT_EQ(given.code, 0) << given.err;
  EXPECT_THAT(given.err, HasSubstr("from " + made("vit_rand.pt2")));
  EXPECT_FALSE(fs::exists(scratch_.path("runs/teachers")));
  const std::string trained = both() + "[teacher.train]\nepochs = 1\n";
  const Finished first = retort({"run", experiment(trained).string()});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("to be trained"));
  const Finished second = retort({"run", experiment(trained).string()});
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("kept from an earlier run"));
  EXPECT_TRUE(content_of(scratch_.path("runs/exported/002/student.safetensors")) ==
              content_of(scratch_.path("runs/exported/003/student.safetensors")));
}

TEST_F(ExportedRuns, ResumeToTheSameBytesWhereverTheyAreStopped) {
  const fs::path file = experiment(both());
  ASSERT_EQ(retort({"run", file.string()}).code, 0);
  const std::string result = result_of(run_);
  int resumed_runs = 0;
  for (const char* operation : {"75", "130", "200", "400"}) {
    fs::remove_all(scratch_.path("runs"));
    {
      const Environment shim({{"LD_PRELOAD", RETORT_FILE_SHIM},
                              {"RETORT_SHIM_UNDER", scratch_.path("runs").string()},
                              {"RETORT_SHIM_KILL_AT", operation}});
      retort({"run", file.string()});
    }
    if (!fs::exists(run_ / "experiment.toml") || fs::exists(run_ / "student.safetensors")) continue;
    const Finished resumed = retort({"run", "--resume", run_.string()});
    ASSERT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_TRUE(result_of(run_) == result) << "killed at operation " << operation;
    ++resumed_runs;
  }
  EXPECT_GE(resumed_runs, 3);
}

TEST_F(ExportedRuns, HandTheStudentBackAsAProgramWithItsWeights) {
  ASSERT_EQ(retort({"run", experiment(both()).string()}).code, 0);
  const Finished written = retort({"export", run_.string()});
  ASSERT_EQ(written.code, 0) << written.err;
  ASSERT_TRUE(fs::exists(run_ / "student.pt2"));
  // The program that was written is the student: evaluated from its own values it is as accurate.
  const Finished evaluated = retort(
      {"--json", "eval",
       scratch_
           .put("back.toml", std::string(kCommon) + "[student]\nmodel = \"exported\"\nfile = \"" +
                                 (run_ / "student.pt2").string() + "\"\n")
           .string()});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const json rows = json::parse(evaluated.out);
  EXPECT_EQ(rows.back()["test_correct"],
            json::parse(content_of(run_ / "run.json"))["results"].back()["test_correct"]);
  const Finished inspected = retort({"--json", "inspect", (run_ / "student.pt2").string()});
  ASSERT_EQ(inspected.code, 0) << inspected.err;
  EXPECT_EQ(json::parse(inspected.out)["taps"]["fc"], json::array({2, 10}));
}

TEST_F(ExportedRuns, TrainInEachWayThatAPluginsNetworkDoes) {
  const std::string phases =
      "[[phase]]\nname = \"hint\"\nterms = [\"fit\"]\nlearn = [\"student:depth\", \"fit\"]\n"
      "[[phase]]\nname = \"main\"\nterms = [\"task\", \"logits.kd\"]\n";
  const std::string fit =
      "[[transfer]]\nname = \"fit\"\nstrategy = \"feature.fitnet\"\n"
      "bind = { student = [\"depth\"], teacher = [\"patch\"] }\n";
  const std::string views = "[data.views.turned]\naugment = [\"flip\"]\n";
  struct Way {
    std::string lines;
    std::vector<std::string> overrides;
  };
  for (const Way& way :
       std::vector<Way>{{"", {"run.precision=bf16"}},
                        {"", {"run.channels_last=true"}},
                        {"", {"train.ema=0.9", "train.accumulate=2", "train.clip_norm=1"}},
                        {"", {"teacher.mode=train"}},
                        {fit + phases, {}},
                        {views,
                         {"student.views=[\"default\", \"turned\"]",
                          "transfer[0].view={ student = \"turned\" }"}}}) {
    SCOPED_TRACE(way.lines + testing::PrintToString(way.overrides));
    fs::remove_all(scratch_.path("runs"));
    std::vector<std::string> arguments = {"run", experiment(both() + way.lines).string()};
    arguments.insert(arguments.end(), way.overrides.begin(), way.overrides.end());
    const Finished run = retort(arguments);
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_TRUE(fs::exists(run_ / "student.safetensors"));
  }
}

TEST_F(ExportedRuns, BindTapsAtModulePathsAndGroups) {
  const std::string networks = "[teacher]\nmodel = \"exported\"\nfile = \"" + made("resnet.pt2") +
                               "\"\n[student]\nmodel = \"exported\"\nfile = \"" +
                               made("mobilenet.pt2") + "\"\n";
  const auto check = [&](const std::string& bind) {
    return retort({"check", experiment(networks + "[[transfer]]\nstrategy = \"feature.fitnet\"\n" +
                                       "bind = { student = [" + bind + "] }\n")
                                .string()});
  };
  const Finished path = check("\"point.1\"], teacher = [\"layer3.0.relu\"");
  EXPECT_EQ(path.code, 0) << path.err;
  const Finished group = check("\"last_map\"], teacher = [\"last_map\"");
  EXPECT_EQ(group.code, 0) << group.err;
  const Finished missing = check("\"pointt.1\"], teacher = [\"layer3.0\"");
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("\"pointt.1\""), HasSubstr("did you mean \"point.1\"")));
}

TEST_F(ExportedRuns, InspectTellsWhatAFileHolds) {
  const Finished shown = retort({"inspect", made("resnet.pt2")});
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("written by torch 2."), HasSubstr("[N, 3, 32, 32] float32"),
                    HasSubstr("[N, 10] float32"), HasSubstr("aten::batch_norm"),
                    HasSubstr("layer3.0"), HasSubstr("[2, 32, 8, 8]"), HasSubstr("pooled")));
}

TEST_F(ExportedRuns, RefuseWhatIsNoProgramInWords) {
  EXPECT_THAT(refusal("[student]\nmodel = \"exported\"\n"),
              HasSubstr("student.file   missing; name what torch.export wrote"));
  EXPECT_THAT(refusal("[student]\nmodel = \"exported\"\nfile = \"no.pt2\"\n"),
              AllOf(HasSubstr("student.file \"no.pt2\""), HasSubstr("not found (tried ")));
  EXPECT_THAT(refusal("[student]\nmodel = \"convnet\"\nfile = \"no.pt2\"\n"),
              HasSubstr("only a network of model = \"exported\" has it"));
  const fs::path pickle = scratch_.put("net.pth", std::string("\x80\x02}q\x00.", 6));
  EXPECT_THAT(refusal(teacher_of_file(pickle)), HasSubstr("holds weights and no network"));
  const std::string whole = content_of(made_file("resnet.pt2"));
  const fs::path cut = scratch_.put("cut.pt2", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(refusal(teacher_of_file(cut)), HasSubstr("is no exported program"));
}

TEST_F(ExportedRuns, RefuseWhatDoesNotFitTheData) {
  const Finished size = retort(
      {"check", experiment(teacher_of_file(made_file("resnet.pt2"))).string(), "data.size=16"});
  EXPECT_EQ(size.code, 2);
  EXPECT_THAT(size.err, AllOf(HasSubstr("was exported for images [N, 3, 32, 32]"),
                              HasSubstr("the data have [N, 3, 16, 16]")));
  const Finished classes = retort(
      {"check", experiment(teacher_of_file(made_file("resnet.pt2"))).string(), "data.classes=7"});
  EXPECT_EQ(classes.code, 2);
  EXPECT_THAT(classes.err, AllOf(HasSubstr("gives output#0 [N, 10]"), HasSubstr("[N, 7]")));
  EXPECT_THAT(refusal(teacher_of_file(made_file("language.pt2"))), HasSubstr("takes 2 inputs"));
}

TEST_F(ExportedRuns, ChooseTheLogitsAmongSeveralOutputs) {
  const auto check = [&](const std::string& logits) {
    return retort({"check", experiment("[student]\nmodel = \"exported\"\nfile = \"" +
                                       made("odd.pt2") + "\"\n" + logits)
                                .string()});
  };
  EXPECT_EQ(check("").code, 0) << "one output alone has 10 numbers a sample";
  EXPECT_EQ(check("logits = \"output#1\"\n").code, 0);
  EXPECT_THAT(check("logits = \"output#0\"\n").err, HasSubstr("is [N, 8]; the data want [N, 10]"));
  EXPECT_THAT(check("logits = \"second\"\n").err,
              HasSubstr("is none of its outputs: output#0 [N, 8]"));
}

TEST_F(ExportedRuns, DrawNewStartValuesWhereTheirClassesAreKnown) {
  const auto weights = [&](const std::string& more, const std::string& seed) {
    fs::remove_all(scratch_.path("runs"));
    const Finished run = retort({"run",
                                 experiment("[student]\nmodel = \"exported\"\nfile = \"" +
                                            made("mobilenet.pt2") + "\"\n" + more)
                                     .string(),
                                 "train.epochs=1", "seed=" + seed});
    EXPECT_EQ(run.code, 0) << run.err;
    return content_of(run_ / "student.safetensors");
  };
  const std::string drawn = weights("start = \"new\"\n", "1");
  EXPECT_TRUE(drawn == weights("start = \"new\"\n", "1"));
  EXPECT_FALSE(drawn == weights("start = \"new\"\n", "2"));
  EXPECT_FALSE(drawn == weights("", "1"));
  EXPECT_THAT(refusal("[student]\nmodel = \"exported\"\nfile = \"" + made("vit_rand.pt2") +
                      "\"\nstart = \"new\"\n"),
              AllOf(HasSubstr("student.start \"new\""), HasSubstr("cls_token, pos_embed")));
}

}  // namespace
}  // namespace retort::test
