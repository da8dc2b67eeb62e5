// What a user sees when the experiment file or the command line is wrong: a message with the value and
// the remedy, and exit code 2.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Mistakes, InTheFileAreAllToldAtOnceWithTheirPlace) {
  const Scratch scratch;
  std::string text = content_of(tiny_experiment(scratch));
  text.replace(text.find("width = 0.5"), 5, "widht");
  text.replace(text.find("batch_size = 32"), 15, "batch_size = -2");
  const Finished run = retort({"run", scratch.put("wrong.toml", text).string()});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("wrong.toml:9:"), HasSubstr("data.batch_size = -2"),
                             HasSubstr("student.widht"), HasSubstr("did you mean \"width\"?"),
                             HasSubstr("2 mistakes; nothing was started.")));
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(scratch.path("runs")));
}

TEST(Mistakes, OfAnOverrideAreTold) {
  const Scratch scratch;
  const Finished run = run_tiny(scratch, {"student.depht=3"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("student.depht"));
}

TEST(Mistakes, OfAMissingExperimentNameItsPath) {
  const Finished run = retort({"run", "/nowhere/experiment.toml"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("/nowhere/experiment.toml"));
}

TEST(Mistakes, OfATapListTheModelsTapsBeforeAnythingIsTrained) {
  const Scratch scratch;
  std::string text = content_of(tiny_experiment(scratch));
  const std::string fitnet = "strategy = \"feature.fitnet\"\n";
  text.insert(text.find(fitnet) + fitnet.size(),
              "bind = { student = \"layer2\", teacher = \"layer9\" }\n");
  const Finished run = retort({"run", scratch.put("taps.toml", text).string()});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("taps.toml:28:"),
                             HasSubstr("transfer[1].bind.teacher \"layer9\"   convnet has: "),
                             HasSubstr("layer2, layer3.preact, layer3, pooled, logits"),
                             Not(HasSubstr("epoch 1/"))));
  EXPECT_FALSE(std::filesystem::exists(scratch.path("runs")));
}

/// An experiment in which every part that only its plugin can check is wrong.
std::string wrong_networks(const Scratch& scratch) {
  return scratch
      .put("networks.toml",
           "data = { dataset = \"synthetic\", size = 8, channels = 2, train = 64, test = 8, "
           "batch_size = 8 }\n[teacher]\nmodel = \"resnet\"\ndepth = 9\n[student]\n"
           "model = \"resnet\"\ndepth = 9\n[[transfer]]\nstrategy = \"logits.kd\"\n")
      .string();
}

TEST(Mistakes, ThatOnlyModelsTellAreAllToldAtOnce) {
  const Scratch scratch;
  const std::string file = wrong_networks(scratch);
  for (const char* command : {"check", "run"}) {
    const Finished told = retort({command, file, "run.out=" + scratch.path("runs").string()});
    EXPECT_EQ(told.code, 2);
    EXPECT_THAT(told.err, AllOf(HasSubstr("networks.toml:4:9  teacher.depth = 9   resnet "),
                                HasSubstr("networks.toml:7:9  student.depth = 9   resnet "),
                                HasSubstr("6n + 2 layers: use 8 or 14"),
                                HasSubstr("2 mistakes; nothing was started.")))
        << command;
  }
  EXPECT_FALSE(std::filesystem::exists(scratch.path("runs")));
}

TEST(Mistakes, OfImagesModelsWeightsAndTapsAreAllToldAtOnce) {
  const Scratch scratch;
  const std::string file = wrong_networks(scratch);
  const Finished told =
      retort({"check", file, "data.augment=[\"randaugment(2, 9)\"]", "student.depth=8",
              "student.weights=" + scratch.put("w.safetensors", "no weights").string(),
              "transfer[0].strategy=feature.fitnet", "transfer[0].bind=[\"layer7\", \"layer8\"]"});
  EXPECT_EQ(told.code, 2);
  EXPECT_THAT(told.err, AllOf(HasSubstr("is defined for images of 1 or 3 channels"),
                              HasSubstr("teacher.depth = 9"), HasSubstr("w.safetensors: "),
                              HasSubstr("\"layer7\"   resnet depth=8 has: "),
                              HasSubstr("\"layer8\"   resnet depth=8 has: "),
                              HasSubstr("5 mistakes; nothing was started.")));
}

TEST(Mistakes, ThatStrategiesTellAreAllToldAtOnce) {
  const Scratch scratch;
  const Finished told =
      run_tiny(scratch, {"transfer[0].strategy=feature.fitnet", "transfer[0].name=first",
                         "transfer[0].bind=logits", "transfer[1].bind=pooled"});
  EXPECT_EQ(told.code, 2) << told.err;
  EXPECT_THAT(told.err, HasSubstr("2 mistakes; nothing was started."));
}

TEST(Mistakes, ThatOnlyTheDataTellsAreAllToldBeforeAnythingIsTrained) {
  const Scratch scratch;
  std::string text = content_of(tiny_experiment(scratch));
  text.replace(text.find("size = 8"), 8, "size = 8\nchannels = 2");
  const std::string augment = "[\"crop(1)\", \"flip\"]";
  text.replace(text.find(augment), augment.size(), "[\"flip\", \"randaugment(2, 9)\"]");
  text.insert(text.find("[teacher]"), "normalize = { mean = [0.5], std = [0.5] }\n");
  const std::string file = scratch.put("channels.toml", text).string();
  for (const char* command : {"check", "run"}) {
    const Finished finished = retort({command, file});
    EXPECT_EQ(finished.code, 2);
    EXPECT_THAT(
        finished.err,
        AllOf(HasSubstr("channels.toml:11:20  data.augment[1] \"randaugment(2, 9)\""),
              HasSubstr("is defined for images of 1 or 3 channels; synthetic has 2 channels; take "
                        "it out of the list\n"),
              HasSubstr("channels.toml:13:13  data.normalize"),
              HasSubstr("mean and std have 1 values; synthetic has 2 channels"),
              HasSubstr("2 mistakes; nothing was started."), Not(HasSubstr("epoch"))));
  }
  EXPECT_FALSE(std::filesystem::exists(scratch.path("runs")));
}

TEST(Mistakes, OfAStrategyWithLabelsBesideMixedImagesAreToldByRunAndCheck) {
  const Scratch scratch;
  const std::string file = tiny_experiment(scratch).string();
  for (const std::string strategy : {"logits.dkd", "logits.nkd", "logits.wsl", "logits.tf_kd"}) {
    for (const std::string mix : {"data.mixup=0.2", "data.cutmix=1"}) {
      const Finished check = retort({"check", file, "transfer[0].strategy=" + strategy, mix});
      EXPECT_EQ(check.code, 2) << strategy;
      EXPECT_THAT(check.err, AllOf(HasSubstr("command line: " + mix),
                                   HasSubstr("two labels, and " + strategy)));
    }
  }
  EXPECT_EQ(run_tiny(scratch, {"transfer[0].strategy=logits.dkd", "data.mixup=0.2"}).code, 2);
  EXPECT_EQ(retort({"check", file, "data.mixup=0.2"}).code, 0);
}

/// Every name under which a run writes a number of its own.
TEST(Mistakes, OfATransferNamedAsAnyNumberOfARunAreTold) {
  const Scratch scratch;
  ASSERT_EQ(run_tiny(scratch, {"train.epochs=1", "data.validation=0.25"}).code, 0);
  const std::filesystem::path run = scratch.path("runs/tiny/001");
  std::set<std::string> names;
  std::istringstream metrics(content_of(run / "metrics.jsonl"));
  for (std::string line; std::getline(metrics, line);) {
    const nlohmann::json epoch = nlohmann::json::parse(line);
    for (const auto& [name, value] : epoch.items()) names.insert(name);
    for (const auto& [name, value] : epoch["losses"].items()) names.insert(name);
  }
  names.erase("logits.kd");
  names.erase("feature.fitnet");
  std::istringstream columns(content_of(run / "summary.csv"));
  for (std::string name; std::getline(columns, name, ',') && names.size() < 30;) {
    names.insert(name.substr(0, name.find('\n')));
    if (name.find('\n') != std::string::npos) break;
  }
  ASSERT_GE(names.size(), 14u);
  for (const std::string& name : names) {
    const Finished named = run_tiny(scratch, {"--dry-run", "transfer[0].name=" + name});
    EXPECT_EQ(named.code, 2) << name;
    EXPECT_THAT(named.err, HasSubstr("give it another name")) << name;
  }
}

/// Runs with a log of JSON; every line on stderr must be an object of level error.
std::vector<nlohmann::json> json_errors(std::vector<std::string> arguments, int code) {
  arguments.insert(arguments.begin(), {"--log-format", "json"});
  const Finished finished = retort(arguments);
  EXPECT_EQ(finished.code, code);
  EXPECT_THAT(finished.out, IsEmpty());
  std::vector<nlohmann::json> errors;
  std::istringstream lines(finished.err);
  for (std::string line; std::getline(lines, line);) {
    errors.push_back(nlohmann::json::parse(line, nullptr, false));
    EXPECT_TRUE(errors.back().is_object() && errors.back().value("level", "") == "error") << line;
    EXPECT_GT(errors.back().value("time", 0.0), 0) << line;
  }
  return errors;
}

TEST(JsonErrors, HaveAnObjectForEachMistakeOfAnExperiment) {
  const Scratch scratch;
  std::string text = content_of(tiny_experiment(scratch));
  text.replace(text.find("batch_size = 32"), 15, "batch_size = -2");
  const std::string file = scratch.put("wrong.toml", text).string();
  const auto errors = json_errors({"run", file, "student.depht=3"}, 2);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0]["file"], file);
  EXPECT_EQ(errors[0]["line"], 9);
  EXPECT_EQ(errors[0]["column"], 14);
  EXPECT_EQ(errors[0]["subject"], "data.batch_size = -2");
  EXPECT_EQ(errors[0]["message"], "data.batch_size = -2  " + errors[0]["what"].get<std::string>());
  EXPECT_EQ(errors[1]["file"], "command line: student.depht=3");
  EXPECT_TRUE(errors[1]["line"].is_null());
}

TEST(JsonErrors, PlaceATapThatOnlyTheNetworksTell) {
  const Scratch scratch;
  const std::string file = tiny_experiment(scratch).string();
  const auto errors = json_errors({"-q", "check", file, "transfer[1].bind=layer9"}, 2);
  ASSERT_EQ(errors.size(), 2u);  // neither network has it
  for (const nlohmann::json& error : errors) {
    EXPECT_EQ(error["file"], "command line: transfer[1].bind=layer9");
    EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("\"layer9\"  convnet"));
  }
}

TEST(JsonErrors, TellAllOtherFailuresToo) {
  EXPECT_EQ(json_errors({}, 2).size(), 1u);
  const auto command = json_errors({"distil"}, 2);
  ASSERT_EQ(command.size(), 1u);
  EXPECT_THAT(command[0]["message"].get<std::string>(), HasSubstr("distil"));
  const auto option = json_errors({"bench", "--steps"}, 2);
  ASSERT_EQ(option.size(), 1u);
  const auto data = json_errors({"compare", "/nowhere"}, 3);
  ASSERT_EQ(data.size(), 1u);
  EXPECT_THAT(data[0]["message"].get<std::string>(), HasSubstr("/nowhere has no run.json"));
}

TEST(Mistakes, OfAnUnknownCommandNameIt) {
  const Finished run = retort({"distil"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("distil"), HasSubstr("--help")));
}

TEST(Mistakes, OfAMistypedCommandSayWhichMayBeMeant) {
  for (const auto& [typed, meant] : {std::pair("rnu", "run"),
                                     {"chekc", "check"},
                                     {"lss", "ls"},
                                     {"compair", "compare"},
                                     {"Run", "run"}}) {
    const Finished finished = retort({typed, "x.toml"});
    EXPECT_EQ(finished.code, 2);
    EXPECT_THAT(finished.err,
                HasSubstr(std::string("\"") + typed + "\": did you mean \"" + meant + "\"?"))
        << typed;
  }
  EXPECT_THAT(retort({"run", "--resum", "x"}).err, HasSubstr("did you mean \"--resume\"?"));
  EXPECT_THAT(retort({"run", "--dry-rnu=1", "x"}).err, HasSubstr("did you mean \"--dry-run\"?"));
  EXPECT_THAT(retort({"quite_another"}).err, Not(HasSubstr("did you mean")));
}

TEST(Mistakes, OfAPipeInPlaceOfAFileAreToldAtOnce) {
  const Scratch scratch;
  const std::string pipe = scratch.path("pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::filesystem::create_directories(scratch.path("run"));
  ASSERT_EQ(mkfifo(scratch.path("run/experiment.toml").c_str(), 0600), 0);
  const std::string tiny = tiny_experiment(scratch).string();
  const std::vector<std::vector<std::string>> commands = {
      {"run", pipe},
      {"check", pipe},
      {"eval", pipe},
      {"bench", pipe},
      {"check", tiny, "teacher.weights=" + pipe},
      {"probe", "logits.kd", "--inputs", pipe},
      {"probe", "feature.fitnet", "--inputs", tiny, "--modules", pipe},
      {"inspect", scratch.path("pipe").string()},
      {"run", "--resume", scratch.path("run").string()}};
  for (const auto& command : commands) {
    Program program(command, {"timeout", "20"});
    const Finished finished = program.wait();
    EXPECT_TRUE(finished.code >= 1 && finished.code <= 3) << command[0] << finished.code;
    EXPECT_THAT(finished.err, Not(IsEmpty())) << command[0];
  }
}

TEST(Mistakes, OfNoCommandGiveTheHelp) {
  const Finished run = retort({});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("Train teacher, baseline and student"));
}

TEST(Eval, OfAFolderThatIsNoRunSaysWhatItWants) {
  const Scratch scratch;
  const Finished eval = retort({"eval", scratch.folder().string()});
  EXPECT_EQ(eval.code, 2);
  EXPECT_THAT(eval.err, HasSubstr("is no run folder: it has no experiment.toml"));
}

TEST(Eval, OfAnExperimentWithoutSavedNetworksSaysWhatItWants) {
  const Scratch scratch;
  const Finished eval = retort({"eval", tiny_experiment(scratch).string()});
  EXPECT_EQ(eval.code, 2);
  EXPECT_THAT(eval.err, HasSubstr("teacher.weights=FILE.safetensors"));
}

}  // namespace
}  // namespace retort::test
