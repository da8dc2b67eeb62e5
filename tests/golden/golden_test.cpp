// What a released version wrote is still read: run folders, saved states, plugin files.
#include <gmock/gmock.h>
#include <retort/abi.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

#if defined(__x86_64__)
constexpr bool kSameMachine = true;
#else
constexpr bool kSameMachine = false;
#endif
// While the major is 0 another minor is another interface.
constexpr bool kSameInterface = RETORT_ABI_MAJOR == 0 && RETORT_ABI_MINOR == 2;

const fs::path kGolden = fs::path(RETORT_SOURCE_DIR) / "tests/golden";

/// What a version wrote into its folder.
struct Version {
  const char* folder;
  std::map<std::string, double> top1;  // by network
  int right;                           // student, of 128
  const char* stopped_at;
  bool own_plugins;  // its runs need the plugin file beside them
};

const Version kVersions[] = {
    {"0.1",
     {{"teacher", 42.96875},
      {"student alone", 32.03125},
      {"student, logits.kd + feature.fitnet", 17.1875}},
     22,
     "at distil epoch 2, step 12",
     false},
    {"0.2",
     {{"teacher", 75}, {"student alone", 40.625}, {"student, golden.centres + logits.kd", 37.5}},
     48,
     "at distil epoch 2, step 7",
     true}};

class Golden : public testing::TestWithParam<Version> {
 protected:
  fs::path folder() const { return kGolden / GetParam().folder; }
  /// Whether the plugins that its runs need are of this machine and interface.
  bool plugins_fit() const { return !GetParam().own_plugins || (kSameMachine && kSameInterface); }
  Finished run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--plugins", folder().string()});
    return retort(arguments);
  }
};

/// What the program prints as JSON.
json told(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {"--json"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const Finished finished = retort(all);
  EXPECT_EQ(finished.code, 0) << finished.err;
  return json::parse(finished.out, nullptr, false);
}

json row_named(const json& rows, const std::string& key, const std::string& name) {
  for (const json& row : rows) {
    if (row.value(key, "") == name) return row;
  }
  ADD_FAILURE() << name << " is not among " << rows.dump();
  return json::object();
}

TEST_P(Golden, RunIsComparedWithItsFigures) {
  const json networks = told({"compare", (folder() / "golden/001").string()});
  EXPECT_EQ(networks.size(), GetParam().top1.size());
  for (const auto& [network, top1] : GetParam().top1) {
    EXPECT_DOUBLE_EQ(row_named(networks, "network", network)["top1"]["mean"].get<double>(), top1);
  }
}

TEST_P(Golden, RunsAreListedWithTheirState) {
  const json runs = told({"ls", "runs", folder().string()});
  ASSERT_EQ(runs.size(), 2U) << runs.dump();
  std::vector<std::string> states;
  for (const json& run : runs) states.push_back(run["state"]);
  EXPECT_THAT(states, testing::UnorderedElementsAre("finished", "killed, resumable"));
}

TEST_P(Golden, NetworksAreEvaluated) {
  if (!plugins_fit()) GTEST_SKIP() << "its plugin file is of another machine or interface";
  const Finished eval = run({"eval", (folder() / "golden/001").string()});
  ASSERT_EQ(eval.code, 0) << eval.err;
  int right = 0, of = 0;
  ASSERT_EQ(std::sscanf(eval.out.c_str(), "student %d of %d right", &right, &of), 2) << eval.out;
  EXPECT_EQ(of, 128);
  EXPECT_NEAR(right, GetParam().right, 3);  // of another processor, last bits differ
}

/// On another machine bits may differ, so it goes on only with --accept-changes.
TEST_P(Golden, StoppedRunGoesOnToItsEnd) {
  if (!plugins_fit()) GTEST_SKIP() << "its plugin file is of another machine or interface";
  const Scratch scratch;
  const fs::path copy = scratch.path("golden/002");
  fs::create_directories(copy.parent_path());
  fs::copy(folder() / "golden/002", copy, fs::copy_options::recursive);
  const std::string before = content_of(copy / "metrics.jsonl");
  ASSERT_FALSE(before.empty());
  const Finished resumed = run({"run", "--accept-changes", "--resume", copy.string()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr(GetParam().stopped_at));
  EXPECT_THAT(content_of(copy / "metrics.jsonl"), StartsWith(before));
  EXPECT_EQ(json::parse(content_of(copy / "run.json"))["status"], "finished");
  EXPECT_EQ(told({"compare", copy.string()}).size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(Each, Golden, testing::ValuesIn(kVersions), [](const auto& version) {
  return "V" + std::string(version.param.folder).replace(1, 1, "_");
});

/// Every kind of component, each in use; a host of another minor says so, and runs the rest.
TEST(GoldenPlugin, OfEveryKindIsListed) {
  if (!kSameMachine) GTEST_SKIP() << "parts.retort is built for x86-64";
  const fs::path file = kGolden / "0.2/parts.retort";
  if (!kSameInterface) {
    const Finished refused = retort({"inspect", file.string()});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr("built for SDK ABI 0.2"));
    return;
  }
  const json list = told({"ls", "--plugins", file.parent_path().string()});
  for (const char* id : {"golden_waves", "golden_net", "golden.centres"}) {
    EXPECT_EQ(row_named(list, "id", id)["version"], "0.1.0");
  }
}

TEST(GoldenPlugin, IsReadWithoutRunningIt) {
  if (!kSameMachine) GTEST_SKIP() << "gap.retort is built for x86-64";
  if (!kSameInterface) GTEST_SKIP() << "another minor of version 0 refuses it: see below";
  const json list = told({"ls", "strategy", "--plugins", (kGolden / "0.1").string()});
  const json gap = row_named(list, "id", "golden.gap");
  EXPECT_EQ(gap["version"], "0.1.0");
  ASSERT_EQ(gap["options"].size(), 4U);
  EXPECT_EQ(row_named(gap["options"], "name", "norm")["default"], "l2");
  EXPECT_EQ(row_named(gap["options"], "name", "times")["min"], 1);
}

/// 2 z_s - z_t is [[0, 2, 4], [-1, -2, 2]].
TEST(GoldenPlugin, GivesItsLoss) {
  if (!kSameMachine) GTEST_SKIP() << "gap.retort is built for x86-64";
  std::vector<std::string> probe = {"probe",     "golden.gap",
                                    "--plugins", (kGolden / "0.1").string(),
                                    "--inputs",  (kGolden / "0.1/logits.safetensors").string()};
  if (!kSameInterface) {
    const Finished refused = retort(probe);
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("gap.retort"), HasSubstr("built for SDK ABI 0.2")));
    return;
  }
  const json squares = told(probe);
  EXPECT_NEAR(squares["loss"].get<double>(), 29.0 / 6, 1e-12);
  EXPECT_NEAR(squares["gradients"]["gain.grad"]["norm"].get<double>(), 20.0 / 3, 1e-12);
  probe.insert(probe.end(), {"scale=1.5", "times=2", "norm=l1"});
  EXPECT_NEAR(told(probe)["loss"].get<double>(), 3 * 11.0 / 6, 1e-12);
  probe.insert(probe.end(), {"center=true"});
  EXPECT_NEAR(told(probe)["loss"].get<double>(), 3 * (4 + 14.0 / 3) / 6, 1e-12);
}

}  // namespace
}  // namespace retort::test
