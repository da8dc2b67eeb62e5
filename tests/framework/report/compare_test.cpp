// What runs are grouped by, and which of them count.
#include "framework/report/compare.hpp"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

/// What is logged while it lives.
class Logged {
 public:
  Logged() : before_(spdlog::default_logger()) {
    const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink));
  }
  Logged(const Logged&) = delete;
  ~Logged() { spdlog::set_default_logger(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

/// A run folder of this seed, with the top-1 of a student alone and a distilled one.
fs::path run(const Scratch& scratch, const std::string& name, const json& seed, double alone,
             double distilled, const std::string& experiment = "name = \"e\"\n") {
  const json results = {{{"name", "student alone"}, {"top1", alone}, {"train_seconds", alone / 7}},
                        {{"name", "student, kd"}, {"top1", distilled}}};
  fs::create_directories(scratch.path(name));
  scratch.put(name + "/run.json", json({{"seed", seed}, {"results", results}}).dump());
  scratch.put(name + "/experiment.toml", experiment);
  return scratch.path(name);
}

constexpr const char* kExperiment = R"(name = "e"
seed = 1

[train]
epochs = 2
optimizer = { name = "sgd", lr = 0.05, momentum = 0.9 }

[[transfer]]
strategy = "logits.kd"
weight = { from = 1, to = 0 }
)";

std::string with(const std::string& from, const std::string& to) {
  std::string text = kExperiment;
  return text.replace(text.find(from), from.size(), to);
}

TEST(Compare, NamesTheValueThatDiffersAndNotItsTable) {
  const Scratch scratch;
  const auto networks =
      host::compare_runs({run(scratch, "a", 1, 50, 60, kExperiment),
                          run(scratch, "b", 1, 50, 61, with("lr = 0.05", "lr = 0.019")),
                          run(scratch, "c", 1, 50, 62, with("to = 0", "to = 0.5"))});
  ASSERT_EQ(networks.size(), 6u);
  EXPECT_EQ(networks[0].settings, "train.optimizer.lr = 0.05, transfer[0].weight.to = 0");
  EXPECT_EQ(networks[2].settings, "train.optimizer.lr = 0.019, transfer[0].weight.to = 0");
  EXPECT_EQ(networks[4].settings, "train.optimizer.lr = 0.05, transfer[0].weight.to = 0.5");
}

constexpr const char* kPhases = R"(
[[phase]]
name = "hint"
[phase.train]
epochs = 1
optimizer = { name = "sgd", lr = 0.05, momentum = 0.9 }
[[phase]]
name = "distil"
[phase.train]
epochs = 2
optimizer = { name = "sgd", lr = 0.05, momentum = 0.9 }
[teacher.train]
epochs = 4
optimizer = { name = "sgd", lr = 0.05, momentum = 0.9 }
)";

TEST(Compare, LeavesOutWhatPhasesInherit) {
  const Scratch scratch;
  const auto networks =
      host::compare_runs({run(scratch, "a", 1, 50, 60, kExperiment),
                          run(scratch, "b", 1, 50, 61, with("lr = 0.05", "lr = 0.019") + kPhases),
                          run(scratch, "c", 1, 50, 62, kExperiment + std::string(kPhases))});
  ASSERT_EQ(networks.size(), 6u);
  const std::string phases =
      "phase[0].name = \"hint\", phase[0].train.epochs = 1, phase[1].name = \"distil\", ";
  EXPECT_EQ(networks[0].settings, "train.optimizer.lr = 0.05");
  EXPECT_EQ(networks[2].settings,
            "train.optimizer.lr = 0.019, phase[0].name = \"hint\", phase[0].train.epochs = 1, "
            "phase[0].train.optimizer.lr = 0.05, phase[1].name = \"distil\", "
            "phase[1].train.optimizer.lr = 0.05, teacher.train.epochs = 4, "
            "teacher.train.optimizer.lr = 0.05");
  EXPECT_EQ(networks[4].settings,
            "train.optimizer.lr = 0.05, " + phases + "teacher.train.epochs = 4");
}

TEST(Compare, ShowsWhatTeachersInheritWhereThereAreNoPhases) {
  const Scratch scratch;
  const std::string teacher = "[teacher.train]\noptimizer = { lr = 0.05 }\n";
  const auto networks =
      host::compare_runs({run(scratch, "a", 1, 50, 60, kExperiment + teacher),
                          run(scratch, "b", 1, 50, 61, with("lr = 0.05", "lr = 0.1"))});
  ASSERT_EQ(networks.size(), 4u);
  EXPECT_EQ(networks[0].settings, "train.optimizer.lr = 0.05, teacher.train.optimizer.lr = 0.05");
}

TEST(Compare, CountsEachSeedOnceAndTellsOfCopies) {
  const Scratch scratch;
  std::vector<fs::path> folders;
  for (int i = 1; i <= 5; ++i) {
    folders.push_back(run(scratch, "copy" + std::to_string(i), 3, 50, 60));
  }
  folders.push_back(run(scratch, "other", 4, 51, 60));
  const Logged logged;
  const auto networks = host::compare_runs(folders);
  ASSERT_EQ(networks.size(), 2u);
  EXPECT_EQ(networks[1].top1.count, 2u);
  EXPECT_FALSE(networks[1].p_alone);
  EXPECT_THAT(logged.text(), AllOf(HasSubstr("copy2"), HasSubstr("and 1 more: the same seed"),
                                   HasSubstr("as " + folders[0].string())));
}

TEST(Compare, KnowsACopyWithAnotherSeedByItsTimes) {
  const Scratch scratch;
  const fs::path original = run(scratch, "a", 1, 50, 60), copy = run(scratch, "b", 2, 50, 60);
  const Logged logged;
  EXPECT_EQ(host::compare_runs({original, copy})[0].top1.count, 1u);
  EXPECT_THAT(logged.text(), HasSubstr("is not counted"));
}

TEST(Compare, CountsTheWholeRunAndNotTheStoppedOneOfItsSeed) {
  const Scratch scratch;
  const fs::path stopped = run(scratch, "a", 1, 50, 60), whole = run(scratch, "b", 1, 50, 60);
  scratch.put("a/run.json", "{\"seed\": 1, \"status\": \"running\", \"results\": []}");
  const Logged logged;
  EXPECT_EQ(host::compare_runs({stopped, whole}).size(), 2u);
  EXPECT_THAT(logged.text(), IsEmpty());
  scratch.put("a/run.json", "{\"seed\": 1, \"results\": [{\"name\": \"teacher\"}]}");
  EXPECT_EQ(host::compare_runs({stopped, whole})[1].top1.mean, 60);
  EXPECT_THAT(logged.text(), HasSubstr("results as " + whole.string()));
}

TEST(Compare, TellsNothingOfRealSeeds) {
  const Scratch scratch;
  const Logged logged;
  const auto networks =
      host::compare_runs({run(scratch, "a", 1, 50, 60), run(scratch, "b", 2, 51, 60),
                          run(scratch, "c", 18446744073709551615u, 52, 60)});
  EXPECT_EQ(networks[0].top1.count, 3u);
  EXPECT_THAT(logged.text(), IsEmpty());
}

TEST(Compare, MeasuresEachRowAgainstTheRowsThatItNames) {
  const Scratch scratch;
  std::vector<fs::path> folders;
  for (int seed = 1; seed <= 3; ++seed) {
    folders.push_back(run(scratch, std::to_string(seed), seed, 0, 0));
    const auto row = [](const char* name, double top1, const char* alone, const char* teacher) {
      return json{{"name", name}, {"top1", top1}, {"alone", alone}, {"teacher", teacher}};
    };
    const json results = {row("big", 80, "", ""),
                          row("wide", 70, "", ""),
                          row("a alone", 50, "", "big"),
                          row("b alone", 40, "", "wide"),
                          row("a, kd", 55, "a alone", "big"),
                          row("b, kd", 41 + seed, "b alone", "wide")};
    scratch.put(std::to_string(seed) + "/run.json",
                json({{"seed", seed}, {"results", results}}).dump());
  }
  const auto networks = host::compare_runs(folders);
  ASSERT_EQ(networks.size(), 6u);
  for (const size_t teacher : {0u, 1u}) {
    EXPECT_FALSE(networks[teacher].versus_teacher);
    EXPECT_FALSE(networks[teacher].versus_alone);
  }
  EXPECT_FALSE(networks[2].versus_alone);
  EXPECT_EQ(networks[2].versus_teacher->mean, -30);
  EXPECT_EQ(networks[3].versus_teacher->mean, -30);
  EXPECT_EQ(networks[4].versus_alone->mean, 5);
  EXPECT_EQ(networks[4].versus_teacher->mean, -25);
  EXPECT_EQ(networks[5].versus_alone->mean, 3);
  EXPECT_EQ(networks[5].versus_teacher->mean, -27);
  EXPECT_TRUE(networks[5].p_alone);
}

TEST(Compare, MeasuresRowsThatNameNoneByTheUsualNames) {
  const Scratch scratch;
  const fs::path folder = run(scratch, "a", 1, 50, 60);
  scratch.put("a/run.json", R"({"results": [{"name": "teacher", "top1": 80},
      {"name": "student alone", "top1": 50}, {"name": "student, kd", "top1": 60}]})");
  const auto networks = host::compare_runs({folder});
  ASSERT_EQ(networks.size(), 3u);
  EXPECT_FALSE(networks[0].versus_alone || networks[0].versus_teacher || networks[1].versus_alone);
  EXPECT_EQ(networks[1].versus_teacher->mean, -30);
  EXPECT_EQ(networks[2].versus_alone->mean, 10);
  EXPECT_EQ(networks[2].versus_teacher->mean, -20);
}

TEST(Compare, RefusesAnExperimentThatIsNoToml) {
  const Scratch scratch;
  const fs::path folder = run(scratch, "a", 1, 50, 60, "name = \"e\"\n[train\n");
  EXPECT_THAT(message_of<host::DataError>([&] { host::compare_runs({folder}); }),
              HasSubstr("experiment.toml:2:"));
}

}  // namespace
}  // namespace retort::test
