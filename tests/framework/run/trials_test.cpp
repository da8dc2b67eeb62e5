// Several seeds, sweeps, and what compares and lists runs.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "framework/report/compare.hpp"
#include "framework/report/run_order.hpp"
#include "framework/run/identity.hpp"
#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Compare, GivesMeanAndDeviationOfASample) {
  const host::Spread spread = host::make_spread({1, 2, 6});
  EXPECT_DOUBLE_EQ(spread.mean, 3);
  EXPECT_DOUBLE_EQ(spread.std, std::sqrt(7.0));
  EXPECT_EQ(spread.count, 3u);
}

TEST(Compare, TestsDifferencesInPairs) {
  // t = 3 / (sqrt(7) / sqrt(3)) = 1.963961 with 2 degrees of freedom: p = 1 - t / sqrt(2 + t^2).
  const std::optional<double> p = host::find_paired_p({1, 2, 6});
  ASSERT_TRUE(p);
  const double t = 3 / std::sqrt(7.0 / 3);
  EXPECT_NEAR(*p, 1 - t / std::sqrt(2 + t * t), 1e-12);
  EXPECT_FALSE(host::find_paired_p({1, 2}));
  EXPECT_FALSE(host::find_paired_p({2, 2, 2}));
}

/// A run folder with one student, whose result has these keys too.
fs::path folder_with(const Scratch& scratch, const std::string& name, const json& more) {
  json student = {{"name", "student"}, {"top1", 50.0}};
  student.update(more);
  fs::create_directories(scratch.path(name));
  scratch.put(name + "/run.json",
              json({{"experiment", "e"}, {"results", json::array({student})}}).dump());
  return scratch.path(name);
}

TEST(Compare, TellsTheSizeThatTheRunsAgreeOn) {
  const Scratch scratch;
  const fs::path old = folder_with(scratch, "old", json::object());
  const fs::path small =
      folder_with(scratch, "small", {{"parameters", 1234567}, {"multiply_adds", 40840000}});
  const fs::path large =
      folder_with(scratch, "large", {{"parameters", 2345678}, {"multiply_adds", 40840000}});
  const host::ComparedNetwork both = host::compare_runs({old, small}).at(0);
  EXPECT_EQ(both.top1.count, 2u);
  EXPECT_EQ(both.parameters, 1234567);
  EXPECT_EQ(both.multiply_adds, 40840000);
  const host::ComparedNetwork differ = host::compare_runs({small, large}).at(0);
  EXPECT_EQ(differ.parameters, std::nullopt);
  EXPECT_EQ(differ.multiply_adds, 40840000);
}

TEST(Compare, ShowsSizesInEachFormat) {
  const Scratch scratch;
  const std::string old = folder_with(scratch, "old", json::object()).string();
  const std::string told =
      folder_with(scratch, "told", {{"parameters", 1234567}, {"multiply_adds", 40840000}}).string();
  EXPECT_THAT(retort({"compare", told}).out, AllOf(HasSubstr("parameters M multiply-adds\n"),
                                                   HasSubstr("   1,234,567            40.8\n")));
  EXPECT_THAT(retort({"compare", old}).out, HasSubstr("           -               -\n"));
  EXPECT_THAT(retort({"compare", "--csv", told}).out,
              AllOf(HasSubstr("train_seconds,parameters,multiply_adds\n"),
                    HasSubstr(",1234567,40840000\n")));
  EXPECT_THAT(retort({"compare", "--csv", old}).out, HasSubstr("0.00,,\n"));
  EXPECT_EQ(json::parse(retort({"compare", "--json", told}).out)[0]["parameters"], 1234567);
  EXPECT_TRUE(json::parse(retort({"compare", "--json", old}).out)[0]["multiply_adds"].is_null());
}

class Trials : public testing::Test {
 protected:
  fs::path run(int number) const {
    return scratch_.path("runs/tiny") / ("00" + std::to_string(number));
  }
  Finished start(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"run", tiny_experiment(scratch_).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return retort(arguments);
  }

  Scratch scratch_;
};

TEST_F(Trials, RunEverySeedOnceAndAreOrdinaryRuns) {
  const Finished first = start({"--json", "seeds=[1, 2, 3]"});
  ASSERT_EQ(first.code, 0) << first.err;
  const json table = json::parse(first.out);
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[2]["top1"]["runs"], 3);
  double sum = 0;
  for (int i = 1; i <= 3; ++i) {
    const json results = json::parse(content_of(run(i) / "run.json"))["results"];
    sum += results[2]["top1"].get<double>();
  }
  EXPECT_NEAR(table[2]["top1"]["mean"].get<double>(), sum / 3, 1e-9);

  const Finished alone = start({"seed=2"});
  ASSERT_EQ(alone.code, 0) << alone.err;
  EXPECT_EQ(content_of(run(4) / "student.safetensors"), content_of(run(2) / "student.safetensors"));

  const Finished again = start({"seeds=[1, 2, 3]"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.err,
              AllOf(HasSubstr("finished before: " + run(1).string()), Not(HasSubstr("distil "))));
}

/// Takes a key out of a run's experiment, as if its version had not known it.
void forget_key(const fs::path& run, const std::string& key) {
  std::string text = content_of(run / "experiment.toml");
  const size_t begin = text.find("\n" + key + " = ");
  ASSERT_NE(begin, std::string::npos) << key;
  text.erase(begin, text.find('\n', begin + 1) - begin);
  std::ofstream(run / "experiment.toml") << text;
}

TEST_F(Trials, OfAVersionWithFewerKeysAreFoundAgain) {
  ASSERT_EQ(start({"seeds=[1, 2]"}).code, 0);
  for (const int number : {1, 2}) {
    forget_key(run(number), "label_smoothing");
    forget_key(run(number), "tensorboard");
  }
  const Finished again = start({"seeds=[1, 2]", "run.tensorboard=true"});
  EXPECT_EQ(again.code, 0);
  for (const int number : {1, 2})
    EXPECT_THAT(again.err, HasSubstr("finished before: " + run(number).string()));
  EXPECT_FALSE(fs::exists(run(3)));
  EXPECT_EQ(start({"seeds=[1, 2]", "train.label_smoothing=0.1"}).code, 0);
  EXPECT_TRUE(fs::exists(run(4))) << "a key that is not at its default makes another experiment";
}

/// A component's id is no default: what a run has not is not what another has without options.
TEST_F(Trials, WithATeacherAreNotFoundInARunWithoutOne) {
  std::string text = content_of(tiny_experiment(scratch_));
  const size_t transfers = text.find("[[transfer]]");
  text.erase(transfers, text.find("[run]") - transfers);  // and [train]: all at its defaults
  const fs::path with = scratch_.put("with.toml", text);
  const std::string teacher = "[teacher]\nmodel = \"convnet\"\n";
  text.erase(text.find(teacher), teacher.size());
  const fs::path without = scratch_.put("without.toml", text);
  const std::vector<std::string> more = {"seeds=[1, 2]", "task.weight=1"};
  const Finished first = retort({"run", without.string(), more[0], more[1]});
  ASSERT_EQ(first.code, 0) << first.err;
  const Finished second = retort({"run", with.string(), more[0], more[1]});
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, Not(HasSubstr("finished before")));
}

TEST(Identity, LeavesOutDefaultsAndWhereItIsWritten) {
  const host::Settings defaults = {{"train.epochs", "1"}, {"train.ema", "0"}};
  const host::Settings run = {{"train.epochs", "3"}, {"train.ema", "0"}, {"run.out", "\"a\""}};
  const host::Settings identity = host::make_identity(run, defaults);
  EXPECT_EQ(identity, (host::Settings{{"train.epochs", "3"}}));
  host::Settings later = run, later_defaults = defaults;
  later["train.new_key"] = later_defaults["train.new_key"] = "false";
  EXPECT_EQ(host::write_identity(host::make_identity(later, later_defaults)),
            host::write_identity(identity));
  later["train.new_key"] = "true";
  EXPECT_NE(host::write_identity(host::make_identity(later, later_defaults)),
            host::write_identity(identity));
}

TEST_F(Trials, OfASweepGoOnWhenOneFails) {
  const Finished sweep = start({"sweep.keys={ \"train.optimizer.lr\" = [1e30, 0.05] }"});
  EXPECT_EQ(sweep.code, 1);
  EXPECT_THAT(sweep.err, AllOf(HasSubstr("trial 1 failed"), HasSubstr("1 of 2 trials failed")));
  EXPECT_THAT(json::parse(content_of(run(1) / "run.json"))["status"].get<std::string>(),
              testing::StartsWith("failed: "));
  EXPECT_EQ(json::parse(content_of(run(2) / "run.json"))["status"], "finished");
  const Finished runs = retort({"ls", "runs", scratch_.path("runs").string()});
  EXPECT_THAT(runs.out, AllOf(HasSubstr("failed: "), HasSubstr("finished")));
}

TEST_F(Trials, OfSeedsEndAtAMistakeThatTheyShare) {
  const Finished seeds =
      start({"seeds=[1, 2]", "data.channels=2", "data.augment=[\"randaugment(2, 9)\"]"});
  EXPECT_EQ(seeds.code, 2);
  EXPECT_THAT(seeds.err, AllOf(HasSubstr("is defined for images of 1 or 3 channels"),
                               Not(HasSubstr("trial 2"))));
  EXPECT_FALSE(fs::exists(scratch_.path("runs")));
}

TEST_F(Trials, AreMadeOfTheFileAsItWasAtTheStart) {
  const fs::path file = tiny_experiment(scratch_);
  const std::string text = content_of(file) + "[sweep.keys]\n\"student.width\" = [0.5, 0.25]\n";
  scratch_.put("tiny.toml", text);
  Program sweep({"run", file.string()});
  while (sweep.running() && !fs::exists(run(1) / "run.json")) std::this_thread::yield();
  scratch_.put("tiny.toml", "not TOML any more");
  const Finished finished = sweep.wait();
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(content_of(run(2) / "experiment.toml"), HasSubstr("width = 0.25"));
}

TEST_F(Trials, GoOverTheSeedToo) {
  const Finished sweep = start({"sweep.keys={ seed = [1, 4000000000] }", "train.epochs=1"});
  ASSERT_EQ(sweep.code, 0) << sweep.err;
  EXPECT_EQ(json::parse(content_of(run(1) / "run.json"))["seed"], 1);
  EXPECT_EQ(json::parse(content_of(run(2) / "run.json"))["seed"], 4000000000);
  EXPECT_THAT(retort({"ls", "runs", scratch_.path("runs").string()}).out,
              HasSubstr("seed 4000000000 "));
}

TEST(RunOrder, IsThatOfTheNumbers) {
  EXPECT_TRUE(host::precedes("runs/kd/999", "runs/kd/1000"));
  EXPECT_FALSE(host::precedes("runs/kd/1000", "runs/kd/999"));
  EXPECT_TRUE(host::precedes("runs/a/1000", "runs/b/001"));
  EXPECT_TRUE(host::precedes("runs/a10", "runs/a9"));  // a name, not a number
  EXPECT_TRUE(host::precedes("1", "01") != host::precedes("01", "1"));
  std::vector<fs::path> folders = {"b/1000", "b/999/", "a/002", "a/001", "b/1"};
  host::sort_runs(folders);
  EXPECT_THAT(folders, testing::ElementsAre("b/999/", "b/1000", "a/001", "a/002", "b/1"));
}

TEST(RunOrder, IsThatOfTheListToo) {
  const Scratch scratch;
  for (const char* name : {"999", "1000", "001"}) {
    folder_with(scratch, std::string("runs/") + name, json::object());
  }
  const json runs =
      json::parse(retort({"--json", "ls", "runs", scratch.path("runs").string()}).out);
  std::vector<std::string> names;
  for (const json& run : runs) names.push_back(fs::path(run["folder"]).filename());
  EXPECT_THAT(names, testing::ElementsAre("001", "999", "1000"));
}

TEST_F(Trials, ShareTheTeacherThatTheyDoNotChange) {
  const Finished sweep = start({"sweep.keys={ \"student.width\" = [0.5, 1] }"});
  ASSERT_EQ(sweep.code, 0) << sweep.err;
  EXPECT_THAT(sweep.err, HasSubstr("kept from an earlier run"));
  EXPECT_THAT(sweep.out, AllOf(HasSubstr("student.width = 0.5"), HasSubstr("student.width = 1")));
  const Finished csv = retort({"compare", "--csv", run(1).string(), run(2).string(), "--html",
                               scratch_.path("page.html").string()});
  EXPECT_EQ(csv.code, 0) << csv.err;
  EXPECT_THAT(csv.out, testing::StartsWith("experiment,settings,network,runs,"));
  EXPECT_THAT(content_of(scratch_.path("page.html")), HasSubstr("<svg"));
}

}  // namespace
}  // namespace retort::test
