// Each command of the program, as a user calls it.
#include <gmock/gmock.h>
#include <retort/abi.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

TEST(Check, ResolvesEverythingAndTakesOneStep) {
  const Scratch scratch;
  const Finished check = retort({"check", tiny_experiment(scratch).string()});
  ASSERT_EQ(check.code, 0) << check.err;
  EXPECT_THAT(check.out, AllOf(HasSubstr("data      synthetic   128 train, 64 test, 1 x 8 x 8"),
                               HasSubstr("student   convnet width=0.5"),
                               HasSubstr("teacher   convnet   "), HasSubstr("transfer  logits.kd"),
                               HasSubstr("student layer2     [32, 16, 4, 4]"),
                               HasSubstr("teacher layer2     [32, 32, 4, 4]"),
                               HasSubstr("step      task "), HasSubstr("\nok\n")));
}

TEST(Check, TellsWhatIsTrainedOnAndWhatIsHeldOut) {
  const Scratch scratch;
  const std::string file = tiny_experiment(scratch).string();
  EXPECT_THAT(retort({"check", file, "data.validation=0.25"}).out,
              HasSubstr("synthetic   96 of 128 train, 32 held out, 64 test, 1 x 8 x 8"));
  const Finished check = retort({"--json", "check", file, "data.train_samples=64"});
  ASSERT_EQ(check.code, 0) << check.err;
  const json data = json::parse(check.out)["data"];
  EXPECT_EQ(data["train"], 64);
  EXPECT_EQ(data["train_available"], 128);
  EXPECT_EQ(data["validation"], 0);
}

TEST(Check, NeedsNoTeacherForAStrategyThatNeedsNone) {
  const Scratch scratch;
  const std::string text =
      "data = { dataset = \"synthetic\", train = 32, test = 8, size = 8, batch_size = 8 }\n"
      "student = { model = \"convnet\" }\n[[transfer]]\nstrategy = \"logits.tf_kd\"\n";
  const std::string file = scratch.put("free.toml", text).string();
  const Finished check = retort({"check", file});
  ASSERT_EQ(check.code, 0) << check.err;
  EXPECT_THAT(check.out, AllOf(HasSubstr("transfer  logits.tf_kd"), Not(HasSubstr("teacher"))));
  const Finished needs = retort({"check", file, "transfer[0].strategy=logits.kd"});
  EXPECT_EQ(needs.code, 2);
  EXPECT_THAT(needs.err, HasSubstr("and transfer[0] needs one"));
}

TEST(Check, TellsWhatAStrategyWarnsOf) {
  const Scratch scratch;
  const Finished check = retort({"check", tiny_experiment(scratch).string(), "data.classes=2",
                                 "transfer[0].strategy=logits.dkd"});
  ASSERT_EQ(check.code, 0) << check.err;
  EXPECT_THAT(check.err, HasSubstr("warning: logits.dkd: with 2 classes"));
}

/// A copy of zoo/good.retort whose options are required, with defaults that none of them could have.
std::filesystem::path put_wild_defaults(const Scratch& scratch) {
  std::string bytes = content_of(std::filesystem::path(RETORT_ZOO_DIR) / "good.retort");
  const size_t options = bytes.find(std::string(RETORT_MANIFEST_MAGIC, 8)) +
                         sizeof(retort_manifest_header) + sizeof(retort_component_record);
  for (size_t i = 0; i < 4; ++i) {
    retort_option_record record;
    std::memcpy(&record, bytes.data() + options + i * sizeof record, sizeof record);
    record.flags |= RETORT_OPTION_REQUIRED;
    record.default_real = std::numeric_limits<double>::quiet_NaN();
    record.default_int = -99;
    std::memcpy(bytes.data() + options + i * sizeof record, &record, sizeof record);
  }
  std::filesystem::create_directory(scratch.path("wild"));
  return scratch.put("wild/wild.retort", bytes).parent_path();
}

TEST(List, ShowsRequiredOptionsWithoutTheirDefaults) {
  const Scratch scratch;
  const std::string folder = put_wild_defaults(scratch).string();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"ls"}, {"inspect", "test.good"}}) {
    std::vector<std::string> arguments = {"--json", "--plugins", folder};
    arguments.insert(arguments.end(), command.begin(), command.end());
    const Finished shown = retort(arguments);
    ASSERT_EQ(shown.code, 0) << shown.err;
    const json list = json::parse(shown.out);
    const auto good = std::find_if(list.begin(), list.end(),
                                   [](const json& info) { return info["id"] == "test.good"; });
    ASSERT_NE(good, list.end());
    ASSERT_EQ((*good)["options"].size(), 4u);
    for (const json& option : (*good)["options"]) {
      EXPECT_TRUE(option["default"].is_null() && option["required"] == true) << option;
    }
  }
  for (const char* command : {"ls", "inspect"}) {
    EXPECT_EQ(
        retort({"--plugins", folder, command, command[0] == 'l' ? "strategy" : "test.good"}).code,
        0);
  }
  EXPECT_EQ(retort({"--plugins", folder, "ls", "strategy", "--markdown"}).code, 0);
}

TEST(Warnings, OfAStrategyAreToldOnce) {
  const Scratch scratch;
  const Finished run = retort({"run", tiny_experiment(scratch).string(), "data.classes=2",
                               "train.epochs=1", "transfer[0].strategy=logits.dkd"});
  ASSERT_EQ(run.code, 0) << run.err;
  const std::string warning = "warning: logits.dkd: with 2 classes";
  const size_t first = run.err.find(warning);
  ASSERT_NE(first, std::string::npos) << run.err;
  EXPECT_EQ(run.err.find(warning, first + 1), std::string::npos) << run.err;
}

TEST(Program, TellsOfResultsThatCannotBeWritten) {
  const Scratch scratch;
  // Flushed by the command, written at the end, and more than stdio keeps.
  for (const std::string command : {"--version", "ls", "inspect experiment"}) {
    const std::string line = std::string(RETORT_PROGRAM) + " " + command + " > /dev/full 2> \"" +
                             scratch.path("told").string() + "\"";
    const int status = std::system(line.c_str());
    EXPECT_EQ(WEXITSTATUS(status), 5) << command;
    EXPECT_THAT(content_of(scratch.path("told")),
                HasSubstr("standard output: not all of it could be written"));
  }
}

TEST(Check, WritesNothing) {
  const Scratch scratch;
  const std::string file = tiny_experiment(scratch).string();
  const std::filesystem::path empty = scratch.path("empty");
  std::filesystem::create_directory(empty);
  const std::filesystem::path home = std::filesystem::current_path();
  std::filesystem::current_path(empty);
  const Finished check = retort({"check", file});
  std::filesystem::current_path(home);
  EXPECT_EQ(check.code, 0) << check.err;
  EXPECT_EQ(files_in(scratch.folder()), 2u);  // the experiment and the empty folder
  EXPECT_TRUE(std::filesystem::is_empty(empty));
}

TEST(Check, NamesTheFilesThatTheRunThenWrites) {
  const Scratch scratch;
  const std::string file = tiny_experiment(scratch).string();
  const Finished check = retort({"--json", "check", file, "train.epochs=1"});
  ASSERT_EQ(check.code, 0) << check.err;
  ASSERT_EQ(retort({"run", file, "train.epochs=1"}).code, 0);
  std::set<std::string> told, written = {scratch.path("runs/teachers/").string()};
  const json facts = json::parse(check.out);
  for (const json& name : facts["files"]) told.insert(name.get<std::string>());
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path("runs/tiny/001"))) {
    written.insert(entry.path().string() + (entry.is_directory() ? "/" : ""));
  }
  EXPECT_EQ(told, written);
  EXPECT_TRUE(std::filesystem::exists(scratch.path("runs/teachers")));
  ASSERT_EQ(facts["phases"].size(), 3u);
  EXPECT_EQ(facts["phases"][2]["steps"], 4);  // 128 images in batches of 32
  EXPECT_THAT(retort({"check", file}).out, HasSubstr("runs/tiny/002/metrics.jsonl"));
}

TEST(Inspect, ShowsEveryKeyOfAnExperiment) {
  const Finished inspect = retort({"inspect", "experiment"});
  ASSERT_EQ(inspect.code, 0) << inspect.err;
  EXPECT_THAT(inspect.out, AllOf(HasSubstr("\n[train]\nepochs = 1"), HasSubstr("\n# clip_norm = "),
                                 HasSubstr("# number >= 0 and < 1; decay of a moving average")));
  const Finished list = retort({"--json", "inspect", "experiment"});
  ASSERT_EQ(list.code, 0) << list.err;
  for (const json& key : json::parse(list.out)) {
    const std::string path = key["key"].get<std::string>(), view = "data.views.NAME.";
    const size_t section = path.starts_with(view) ? view.size() : path.find('.') + 1;
    EXPECT_THAT(inspect.out, HasSubstr(path.substr(section) + " = "));
    EXPECT_THAT(inspect.out, HasSubstr(key["help"].get<std::string>()));
  }
}

TEST(DryRun, PrintsTheResolvedExperimentThatLoadsAgain) {
  const Scratch scratch;
  const Finished first =
      retort({"run", "--dry-run", tiny_experiment(scratch).string(), "student.width=0.25"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("width = 0.25"));
  const Finished again =
      retort({"run", "--dry-run", scratch.put("again.toml", first.out).string()});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
  EXPECT_FALSE(std::filesystem::exists(scratch.path("runs")));
}

TEST(Ls, ListsWhatIsInstalled) {
  const Finished ls = retort({"ls"});
  ASSERT_EQ(ls.code, 0) << ls.err;
  for (const char* id : {"strategy  logits.kd", "strategy  feature.fitnet",
                         "strategy  relational.rkd", "model     resnet", "dataset   synthetic"}) {
    EXPECT_THAT(ls.out, HasSubstr(id));
  }
  EXPECT_THAT(ls.err, IsEmpty());
}

TEST(Ls, PrintsTheReferencePagesAsTheyAreInDocs) {
  for (const std::string kind : {"strategy", "model"}) {
    const std::string page = kind == "strategy" ? "strategies.md" : "models.md";
    const Finished ls = retort({"ls", kind, "--markdown"});
    ASSERT_EQ(ls.code, 0) << ls.err;
    EXPECT_EQ(ls.out, content_of(std::filesystem::path(RETORT_SOURCE_DIR) / "docs" / page))
        << "print it anew: retort ls " << kind << " --markdown > docs/" << page;
  }
}

TEST(Ls, ListsOneKindAlone) {
  const Finished ls = retort({"ls", "model"});
  ASSERT_EQ(ls.code, 0) << ls.err;
  EXPECT_THAT(ls.out, AllOf(HasSubstr("model     resnet"), Not(HasSubstr("strategy"))));
}

TEST(Ls, PrintsJson) {
  const Finished ls = retort({"--json", "ls"});
  ASSERT_EQ(ls.code, 0) << ls.err;
  const json list = json::parse(ls.out);
  const auto resnet = std::find_if(list.begin(), list.end(),
                                   [](const json& entry) { return entry["id"] == "resnet"; });
  ASSERT_NE(resnet, list.end());
  EXPECT_EQ((*resnet)["kind"], "model");
  EXPECT_EQ((*resnet)["options"][0]["name"], "depth");
}

TEST(Ls, WarnsOfAFileThatIsNoPluginAndListsTheOthers) {
  const Scratch scratch;
  scratch.put("broken.retort", "this is text");
  const Finished ls = retort({"ls", "--plugins", scratch.folder().string()});
  EXPECT_EQ(ls.code, 0);
  EXPECT_THAT(ls.out, HasSubstr("strategy  logits.kd"));
  EXPECT_THAT(ls.err, HasSubstr("warning: " + scratch.path("broken.retort").string() + ": "));
}

TEST(Inspect, ShowsAComponentAsATomlBlock) {
  const Finished inspect = retort({"inspect", "logits.kd"});
  ASSERT_EQ(inspect.code, 0) << inspect.err;
  EXPECT_THAT(inspect.out, AllOf(HasSubstr("strategy logits.kd 1."),
                                 HasSubstr("[[transfer]]\nstrategy = \"logits.kd\""),
                                 HasSubstr("temperature = 4")));
}

TEST(Inspect, ReadsAPluginFile) {
  const Finished inspect = retort({"inspect", RETORT_PLUGIN_DIR "/kd.retort", "--json"});
  ASSERT_EQ(inspect.code, 0) << inspect.err;
  EXPECT_EQ(json::parse(inspect.out)[0]["id"], "logits.kd");
}

TEST(Inspect, ShowsTheCountsAndTapsOfAModel) {
  const Finished inspect = retort({"inspect", "resnet", "depth=56", "classes=100"});
  ASSERT_EQ(inspect.code, 0) << inspect.err;
  EXPECT_THAT(inspect.out,
              AllOf(HasSubstr("[student]\nmodel = \"resnet\"\n"),
                    HasSubstr("network   resnet depth=56   3 x 32 x 32, 100 classes   861,620 "
                              "parameters   125.8 M multiply-adds\n"),
                    HasSubstr("tap       layer3.preact  [1, 64, 8, 8]\n"),
                    HasSubstr("tap       logits         [1, 100]\n")));
}

TEST(Inspect, BuildsAModelForTheImagesThatItIsTold) {
  const Finished inspect = retort({"inspect", "vgg", "input=[1,64,72]", "depth=11", "--json"});
  ASSERT_EQ(inspect.code, 0) << inspect.err;
  const json network = json::parse(inspect.out)[0]["network"];
  EXPECT_EQ(network["model"], "vgg depth=11");
  EXPECT_EQ(network["input"], json({1, 64, 72}));
  EXPECT_EQ(network["classes"], 10);
  EXPECT_EQ(network["parameters"], 9229962);
  EXPECT_EQ(network["taps"]["layer4"], json({1, 512, 4, 4}));
  EXPECT_GT(network["multiply_adds"], 9229962);
}

TEST(Inspect, BuildsAnInstalledModelWithItsDefaults) {
  EXPECT_THAT(retort({"inspect", "wrn"}).out, HasSubstr("\nnetwork   wrn   3 x 32 x 32"));
  const Finished file = retort({"inspect", RETORT_PLUGIN_DIR "/wrn.retort"});
  EXPECT_THAT(file.out, AllOf(HasSubstr("model wrn"), Not(HasSubstr("\nnetwork "))));
}

TEST(Inspect, TellsAllMistakesInTheSettings) {
  const Finished inspect =
      retort({"inspect", "resnet", "dept=56", "width=-1", "input=[3,0,32]", "classes=ten"});
  EXPECT_EQ(inspect.code, 2);
  EXPECT_THAT(inspect.err, AllOf(HasSubstr("dept            unknown key; did you mean \"depth\"?"),
                                 HasSubstr("width = -1      must be > 0 and <= 64 (default 1)"),
                                 HasSubstr("input[1] = 0    must be >= 1 and <= 4096"),
                                 HasSubstr("classes \"ten\"   must be an integer, not text"),
                                 HasSubstr("4 mistakes; nothing was started.")));
  EXPECT_THAT(retort({"inspect", "resnet", "input=32"}).err,
              HasSubstr("must be [channels, height, width], as in 'input=[3,224,224]'"));
}

TEST(Inspect, SaysWhatTheModelRefuses) {
  const Finished inspect = retort({"inspect", "resnet", "depth=21"});
  EXPECT_EQ(inspect.code, 2);
  EXPECT_THAT(inspect.err, HasSubstr("in build(): depth = 21; this network has 6n + 2 layers"));
}

TEST(Inspect, TakesSettingsForModelsOnly) {
  const Finished inspect = retort({"inspect", "logits.kd", "temperature=2"});
  EXPECT_EQ(inspect.code, 2);
  EXPECT_THAT(inspect.err, HasSubstr("\"temperature=2\" would build a model; logits.kd is a "
                                     "strategy: leave it out"));
}

TEST(Inspect, SuggestsTheNearestName) {
  const Finished inspect = retort({"inspect", "logits.kf"});
  EXPECT_EQ(inspect.code, 2);
  EXPECT_THAT(inspect.err, HasSubstr("\"logits.kf\" is in no plugin; did you mean \"logits.kd\"?"));
}

TEST(Bench, MeasuresEachPhase) {
  const Scratch scratch;
  const Finished bench = retort({"bench", "--json", tiny_experiment(scratch).string(), "--steps",
                                 "3", "--warmup", "1", "data.batch_size=16"});
  ASSERT_EQ(bench.code, 0) << bench.err;
  const json rows = json::parse(bench.out);
  ASSERT_EQ(rows.size(), 3u);
  for (const json& row : rows) {
    EXPECT_GT(row["images_per_s"], 0);
    double shares = 0;
    for (const auto& [name, share] : row["share"].items()) shares += share.get<double>();
    EXPECT_NEAR(shares, 1, 1e-6);
  }
}

TEST(Bench, PrintsATableAndWritesNothing) {
  const Scratch scratch;
  const Finished bench = retort({"bench", tiny_experiment(scratch).string(), "--steps", "2",
                                 "--warmup", "1", "--phase", "distil"});
  ASSERT_EQ(bench.code, 0) << bench.err;
  EXPECT_THAT(bench.out, AllOf(HasSubstr("images/s"), HasSubstr("teacher"), HasSubstr("\ndistil "),
                               Not(HasSubstr("\nalone "))));
  EXPECT_EQ(files_in(scratch.folder()), 1u);
}

TEST(Bench, RefusesAPhaseThatTheExperimentHasNot) {
  const Scratch scratch;
  const std::string file = tiny_experiment(scratch).string();
  const Finished near = retort({"bench", file, "--phase", "distill"});
  EXPECT_EQ(near.code, 2);
  EXPECT_THAT(near.err, HasSubstr("--phase distill: is no phase of this experiment; did you mean "
                                  "\"distil\"? known: all, teacher, alone, distil"));
  const Finished none = retort({"bench", file, "transfer=[]", "--phase", "distil"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("known: all, teacher, alone\n"));
}

TEST(Bench, ExportsTheStartForOtherPrograms) {
  const Scratch scratch;
  const Finished bench =
      retort({"bench", tiny_experiment(scratch).string(), "--steps", "1", "--warmup", "1",
              "--phase", "distil", "--export", scratch.path("start").string()});
  ASSERT_EQ(bench.code, 0) << bench.err;
  EXPECT_TRUE(std::filesystem::exists(scratch.path("start/teacher.safetensors")));
  EXPECT_TRUE(std::filesystem::exists(scratch.path("start/student_start.safetensors")));
}

TEST(Version, NamesTheProgramAndLibTorch) {
  const Finished version = retort({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, MatchesRegex("retort [0-9.]+, LibTorch [0-9.+a-z]+\n"));
}

TEST(Help, ListsTheCommands) {
  const Finished help = retort({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* command : {"run", "check", "eval", "ls", "inspect", "bench"}) {
    EXPECT_THAT(help.out, HasSubstr(std::string("\n  ") + command + " "));
  }
}

}  // namespace
}  // namespace retort::test
