// What a released version wrote is still read: run folders, saved states, plugin files.
#include <gmock/gmock.h>
#include <retort/abi.h>

#include <cstdio>
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

const fs::path kGolden = fs::path(RETORT_SOURCE_DIR) / "tests/golden/0.1";

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

TEST(Golden, RunIsComparedWithItsFigures) {
  const json networks = told({"compare", (kGolden / "golden/001").string()});
  EXPECT_EQ(networks.size(), 3U);
  const auto top1 = [&](const char* name) {
    return row_named(networks, "network", name)["top1"]["mean"].get<double>();
  };
  EXPECT_DOUBLE_EQ(top1("teacher"), 42.96875);
  EXPECT_DOUBLE_EQ(top1("student alone"), 32.03125);
  EXPECT_DOUBLE_EQ(top1("student, logits.kd + feature.fitnet"), 17.1875);
}

TEST(Golden, RunsAreListedWithTheirState) {
  const json runs = told({"ls", "runs", kGolden.string()});
  ASSERT_EQ(runs.size(), 2U) << runs.dump();
  std::vector<std::string> states;
  for (const json& run : runs) states.push_back(run["state"]);
  EXPECT_THAT(states, testing::UnorderedElementsAre("finished", "killed, resumable"));
}

TEST(Golden, NetworksAreEvaluated) {
  const Finished eval = retort({"eval", (kGolden / "golden/001").string()});
  ASSERT_EQ(eval.code, 0) << eval.err;
  int right = 0, of = 0;
  ASSERT_EQ(std::sscanf(eval.out.c_str(), "student %d of %d right", &right, &of), 2) << eval.out;
  EXPECT_EQ(of, 128);
  EXPECT_NEAR(right, 22, 3);  // of another processor, last bits differ
}

/// On another machine bits may differ, so it goes on only with --accept-changes.
TEST(Golden, StoppedRunGoesOnToItsEnd) {
  const Scratch scratch;
  const fs::path run = scratch.path("golden/002");
  fs::create_directories(run.parent_path());
  fs::copy(kGolden / "golden/002", run, fs::copy_options::recursive);
  const std::string before = content_of(run / "metrics.jsonl");
  ASSERT_FALSE(before.empty());
  const Finished resumed = retort({"run", "--accept-changes", "--resume", run.string()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("at distil epoch 2, step 12"));
  EXPECT_THAT(content_of(run / "metrics.jsonl"), StartsWith(before));
  EXPECT_EQ(json::parse(content_of(run / "run.json"))["status"], "finished");
  EXPECT_EQ(told({"compare", run.string()}).size(), 3U);
}

TEST(Golden, PluginIsReadWithoutRunningIt) {
  if (!kSameMachine) GTEST_SKIP() << "gap.retort is built for x86-64";
  if (!kSameInterface) GTEST_SKIP() << "another minor of version 0 refuses it: see below";
  const json list = told({"ls", "strategy", "--plugins", kGolden.string()});
  const json gap = row_named(list, "id", "golden.gap");
  EXPECT_EQ(gap["version"], "0.1.0");
  ASSERT_EQ(gap["options"].size(), 4U);
  EXPECT_EQ(row_named(gap["options"], "name", "norm")["default"], "l2");
  EXPECT_EQ(row_named(gap["options"], "name", "times")["min"], 1);
}

/// 2 z_s - z_t is [[0, 2, 4], [-1, -2, 2]].
TEST(Golden, PluginGivesItsLoss) {
  if (!kSameMachine) GTEST_SKIP() << "gap.retort is built for x86-64";
  std::vector<std::string> probe = {"probe",     "golden.gap",
                                    "--plugins", kGolden.string(),
                                    "--inputs",  (kGolden / "logits.safetensors").string()};
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
