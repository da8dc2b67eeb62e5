// --resume: whatever stopped a run, it ends with the bytes of one that was not stopped.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include "framework/base/error.hpp"
#include "framework/io/hash.hpp"
#include "framework/run/checkpoint.hpp"
#include "tests/framework/run/resuming.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

TEST(Checkpoint, CarriesTheSizeOfANetworkWhereItIsKnown) {
  const Scratch scratch;
  host::CheckpointStore store(scratch.path("resume"));
  host::Checkpoint checkpoint;
  checkpoint.rows.resize(2);  // the second as an older version saved it
  checkpoint.rows[0].size = {1234567, 40840000};
  store.save(checkpoint, {});
  const auto found = store.newest();
  ASSERT_TRUE(found);
  const auto& rows = found->checkpoint.rows;
  ASSERT_TRUE(rows.at(0).size);
  EXPECT_EQ(rows[0].size->parameters, 1234567);
  EXPECT_EQ(rows[0].size->multiply_adds, 40840000);
  EXPECT_FALSE(rows.at(1).size);
}

/// Its hash says that it is whole, and anyone can make that.
TEST(Checkpoint, OfSomebodyElseThatMakesNoSenseIsRefused) {
  const Scratch scratch;
  host::CheckpointStore store(scratch.path("resume"));
  host::Checkpoint checkpoint;
  checkpoint.state.terms = {"task"};
  checkpoint.state.loss_sums = {1};
  store.save(checkpoint, {});
  const std::string saved = content_of(scratch.path("resume/000001.json"));
  const std::string whole = saved.substr(0, saved.size() - 33);  // without the hash
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    EXPECT_NE(text.find(from), std::string::npos) << from;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {std::string("{}\n"), std::string("[]\n"), with("\"task\"", "\"task\", \"more\""),
        with("\"step\": 0", "\"step\": -1"), with("\"epoch\": 0", "\"epoch\": \"0\"")}) {
    const std::span bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    scratch.put("resume/000001.json", text + host::xxh3_128_hex(bytes) + "\n");
    EXPECT_THAT(message_of<host::DataError>([&] { store.newest(); }),
                HasSubstr("none of its 1 states is whole"))
        << text;
  }
}

TEST(Resume, AfterAKillBeforeAnyFileOperation) {
  ASSERT_FALSE(expected().empty());
  int operation = 1;
  for (;; operation += slow() ? 1 : 41) {
    const Scratch scratch;
    const fs::path experiment = tiny_experiment(scratch);
    Finished killed;
    {
      const Environment shim({{"LD_PRELOAD", RETORT_FILE_SHIM},
                              {"RETORT_SHIM_UNDER", scratch.path("runs").string()},
                              {"RETORT_SHIM_KILL_AT", std::to_string(operation)}});
      killed = retort({"run", experiment.string()});
    }
    if (killed.code == 0) break;
    ASSERT_EQ(killed.code, 1000 + SIGKILL) << killed.err;
    expect_resumes(scratch, "killed before operation " + std::to_string(operation));
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(operation, 150);  // or the shim did not see the saves
}

TEST(Resume, AfterAKillAtAnyMoment) {
  ASSERT_FALSE(expected().empty());
  std::mt19937 random(20261124);
  for (int i = 0; i < (slow() ? 100 : 5); ++i) {
    const Scratch scratch;
    const auto wait = std::chrono::milliseconds(250 + random() % 700);
    {
      Program program({"run", tiny_experiment(scratch).string(), "run.checkpoint_steps=1"});
      std::this_thread::sleep_for(wait);
      program.send(SIGKILL);
      program.wait();
    }
    expect_resumes(scratch, "killed after " + std::to_string(wait.count()) + " ms");
  }
}

/// Starts the tiny experiment with these settings.
Finished start_with(const Scratch& scratch, const std::vector<std::string>& settings) {
  std::vector<std::string> arguments = {"run", tiny_experiment(scratch).string()};
  arguments.insert(arguments.end(), settings.begin(), settings.end());
  return retort(arguments);
}

TEST(Resume, KeepsEveryPartThatHasState) {
  const std::vector<std::string> parts = {"data.validation=0.2",
                                          "data.mixup=0.2",
                                          "data.cutmix=1",
                                          "data.augment=[\"randaugment(2, 9)\", \"erase(0.5)\"]",
                                          "train.optimizer={ name = \"adamw\", lr = 0.001 }",
                                          "train.ema=0.9",
                                          "train.accumulate=2",
                                          "train.clip_norm=1",
                                          "run.checkpoint_steps=1"};
  const Scratch whole;
  ASSERT_EQ(start_with(whole, parts).code, 0);
  int operation = 200;
  for (;; operation += 170) {
    const Scratch scratch;
    const Environment shim({{"LD_PRELOAD", RETORT_FILE_SHIM},
                            {"RETORT_SHIM_UNDER", scratch.path("runs").string()},
                            {"RETORT_SHIM_KILL_AT", std::to_string(operation)}});
    if (start_with(scratch, parts).code == 0) break;
    unsetenv("RETORT_SHIM_KILL_AT");
    const fs::path run = scratch.path("runs/tiny/001");
    const Finished resumed = retort({"run", "--resume", run.string()});
    ASSERT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("resumes "));
    EXPECT_TRUE(result_of(run) == result_of(whole.path("runs/tiny/001")))
        << "killed before operation " << operation << "\n"
        << resumed.err;
  }
  EXPECT_GT(operation, 500);
}

/// Stopped at the end of an epoch whose middle was saved; by then two transfers have taught.
TEST(Resume, KeepsTheMomentaOfTaskAndTransfers) {
  const std::vector<std::string> settings = {"train.optimizer={ name = \"dot\", lr = 0.05 }",
                                             "train.accumulate=2", "train.clip_norm=1",
                                             "train.non_finite=rollback", "run.checkpoint_steps=2"};
  const Scratch whole, stopped;
  ASSERT_EQ(start_with(whole, settings).code, 0);
  const fs::path run = stopped.path("runs/tiny/001");
  {
    const Environment shim({{"LD_PRELOAD", RETORT_FILE_SHIM},
                            {"RETORT_SHIM_UNDER", (run / "checkpoints/distil-last").string()},
                            {"RETORT_SHIM_KILL_AT", "1"}});
    ASSERT_EQ(start_with(stopped, settings).code, 1000 + SIGKILL);
  }
  const Finished resumed = retort({"run", "--resume", run.string()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumes "));
  EXPECT_TRUE(result_of(run) == result_of(whole.path("runs/tiny/001"))) << resumed.err;
}

TEST(Resume, LeavesAFinishedRunAsItIs) {
  const Scratch scratch;
  ASSERT_EQ(retort({"run", tiny_experiment(scratch).string()}).code, 0);
  scratch.put("runs/tiny/001/report.html.0123.tmp", "what a killed program was writing");
  expect_resumes(scratch, "finished");
}

TEST(Resume, OfAFinishedRunWithoutItsStudentSaysWhatIsMissing) {
  const Scratch scratch;
  ASSERT_EQ(retort({"run", tiny_experiment(scratch).string()}).code, 0);
  const fs::path run = scratch.path("runs/tiny/001");
  fs::remove(run / "student.safetensors");
  const Finished resumed = retort({"run", "--resume", run.string()});
  EXPECT_EQ(resumed.code, 3);
  EXPECT_THAT(resumed.err, HasSubstr("finished, but its student.safetensors is missing"));
}

TEST(Resume, AfterAKillWithinALineOfItsMetrics) {
  const Scratch scratch;
  ASSERT_EQ(retort({"run", tiny_experiment(scratch).string(), "train.epochs=1"}).code, 0);
  const fs::path run = scratch.path("runs/tiny/001"), metrics = run / "metrics.jsonl";
  const std::string whole = content_of(metrics);
  scratch.put("runs/tiny/001/metrics.jsonl", whole + "{\"phase\":\"dis");
  const Finished listed = retort({"ls", "runs", scratch.path("runs").string()});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_EQ(retort({"compare", run.string()}).code, 0);
  const Finished resumed = retort({"run", "--resume", run.string()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

/// A run that was stopped within its last phase.
class Stopped : public testing::Test {
 protected:
  Stopped() {
    const Environment shim({{"LD_PRELOAD", RETORT_FILE_SHIM},
                            {"RETORT_SHIM_UNDER", (run() / "checkpoints/distil-last").string()},
                            {"RETORT_SHIM_KILL_AT", "1"}});
    const Finished killed = retort({"run", tiny_experiment(scratch_).string()});
    EXPECT_EQ(killed.code, 1000 + SIGKILL) << killed.err;
  }

  fs::path run() const { return scratch_.path("runs/tiny/001"); }
  /// The files of the newest state, or of the one before it.
  std::vector<fs::path> states(const char* ending) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(run() / "checkpoints/resume")) {
      if (entry.path().extension() == ending) files.push_back(entry.path());
    }
    std::sort(files.rbegin(), files.rend());
    return files;
  }
  static void flip(const fs::path& file, size_t position) {
    std::string bytes = content_of(file);
    bytes.at(position) = static_cast<char>(bytes.at(position) ^ 1);
    std::ofstream(file, std::ios::binary) << bytes;
  }

  Scratch scratch_;
};

TEST_F(Stopped, UsesTheStateBeforeADamagedOne) {
  for (const char* ending : {".safetensors", ".json"}) {
    const std::vector<fs::path> files = states(ending);
    ASSERT_EQ(files.size(), 2u);
    const std::string whole = content_of(files[0]);
    for (size_t at = 0; at < whole.size(); at += std::max<size_t>(1, whole.size() / 4)) {
      flip(files[0], at);
      const Scratch copy;
      fs::copy(run(), copy.path("run"), fs::copy_options::recursive);
      const Finished resumed = retort({"run", "--resume", copy.path("run").string()});
      EXPECT_EQ(resumed.code, 0) << resumed.err;
      EXPECT_THAT(resumed.err,
                  AllOf(HasSubstr(files[0].filename().string()), HasSubstr("damaged")));
      EXPECT_TRUE(result_of(copy.path("run")) == expected()) << ending << " " << at;
      flip(files[0], at);
    }
  }
}

TEST_F(Stopped, RefusesWhenNoStateIsWhole) {
  for (const fs::path& file : states(".safetensors")) flip(file, 100);
  const Finished resumed = retort({"run", "--resume", run().string()});
  EXPECT_EQ(resumed.code, 3);
  EXPECT_THAT(resumed.err, HasSubstr("none of its 2 states is whole"));
}

TEST_F(Stopped, RefusesAStateOfAPhaseThatTheExperimentHasNot) {
  const fs::path state = states(".json")[0];
  std::string text = content_of(state);
  text.resize(text.size() - 33);  // the hash and its line break
  text.replace(text.find("\"distil\""), 8, "\"warmup\"");
  const std::string hash =
      host::xxh3_128_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  std::ofstream(state, std::ios::binary) << text << hash << "\n";
  const std::string before = content_of(run() / "metrics.jsonl");
  const Finished resumed = retort({"run", "--resume", run().string()});
  EXPECT_EQ(resumed.code, 3);
  EXPECT_THAT(resumed.err, HasSubstr("was saved in the phase \"warmup\", and this experiment has "
                                     "teacher, alone, distil"));
  EXPECT_EQ(content_of(run() / "metrics.jsonl"), before);
}

TEST_F(Stopped, RefusesAnotherTeacher) {
  flip(run() / "checkpoints/teacher-last.safetensors", 400);
  const Finished resumed = retort({"run", "--resume", run().string()});
  EXPECT_EQ(resumed.code, 3);
  EXPECT_THAT(resumed.err, HasSubstr("not the network that this run trained"));
}

TEST_F(Stopped, RefusesAnotherNumberOfThreadsUnlessAccepted) {
  std::string text = content_of(run() / "experiment.toml");
  text.replace(text.find("threads = 1"), 11, "threads = 2");
  std::ofstream(run() / "experiment.toml") << text;
  const Finished refused = retort({"run", "--resume", run().string()});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("threads was 1 and is 2"), HasSubstr("--accept-changes")));
  const Finished accepted = retort({"run", "--accept-changes", "--resume", run().string()});
  EXPECT_EQ(accepted.code, 0) << accepted.err;
  EXPECT_THAT(accepted.err, HasSubstr("accepted: threads was 1 and is 2"));
}

/// What the state was made by is not what the file would go on with.
TEST_F(Stopped, RefusesAnEditedExperimentByItsKeysUnlessAccepted) {
  std::string text = content_of(run() / "experiment.toml");
  const size_t at = text.find("lr = 0.05");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 9, "lr = 0.02");
  std::ofstream(run() / "experiment.toml") << text;
  const Finished refused = retort({"run", "--resume", run().string()});
  EXPECT_EQ(refused.code, 2);
  const std::string told = "train.optimizer.lr was 0.05 and is 0.02";
  EXPECT_THAT(refused.err, AllOf(HasSubstr(told), HasSubstr("--accept-changes")));
  const Finished accepted = retort({"run", "--accept-changes", "--resume", run().string()});
  EXPECT_EQ(accepted.code, 0) << accepted.err;
  EXPECT_THAT(accepted.err, HasSubstr("accepted: experiment.toml "));
}

TEST_F(Stopped, RefusesAFileBesideIt) {
  const Finished resumed = retort({"run", "x.toml", "--resume", run().string()});
  EXPECT_EQ(resumed.code, 2);
  EXPECT_THAT(resumed.err, HasSubstr("leave file and overrides out"));
}

TEST_F(Stopped, KeepsItsStateWhenTheDiskIsFull) {
  const std::vector<fs::path> before = states(".json");
  Finished full;
  {
    rlimit old{};
    getrlimit(RLIMIT_FSIZE, &old);
    const rlimit small = {2000, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    full = retort({"run", "--resume", run().string()});
    setrlimit(RLIMIT_FSIZE, &old);
  }
  EXPECT_EQ(full.code, 5) << full.err;
  EXPECT_THAT(full.err, testing::Not(HasSubstr("wrote")));
  EXPECT_EQ(states(".json"), before);
  expect_resumes(scratch_, "disk full");
}

TEST(RunFolder, HasOneOwner) {
  const Scratch scratch;
  const fs::path run = scratch.path("runs/tiny/001");
  Program owner({"run", tiny_experiment(scratch).string(), "train.epochs=1000000"});
  for (int i = 0; i < 600 && content_of(run / "metrics.jsonl").empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const Finished second = retort({"run", "--resume", run.string()});
  EXPECT_EQ(second.code, 5);
  EXPECT_THAT(second.err, AllOf(HasSubstr("another program is at work"), HasSubstr("process ")));
  owner.send(SIGTERM);
  EXPECT_EQ(owner.wait().code, 143);
}

}  // namespace
}  // namespace retort::test
