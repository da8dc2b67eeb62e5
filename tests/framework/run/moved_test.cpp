// A run folder is read from any working directory, and its project may move.
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// An IDX file of `count` items: images of 8 x 8 bytes, or labels.
std::string idx_bytes(uint8_t count, bool images) {
  std::string bytes = {0, 0, 8, static_cast<char>(images ? 3 : 1),
                       0, 0, 0, static_cast<char>(count)};
  if (images) bytes += std::string("\0\0\0\x08\0\0\0\x08", 8);
  for (int i = 0; i < count * (images ? 64 : 1); ++i) {
    bytes += static_cast<char>(images ? i * 37 % 251 : i % 10);
  }
  return bytes;
}

/// A project folder: images, and an experiment whose paths are relative to it.
class Project : public testing::Test {
 protected:
  Project() {
    fs::create_directories(scratch_.path("project/data"));
    for (const std::string split : {"train", "t10k"}) {
      const uint8_t count = split == "train" ? 96 : 32;
      scratch_.put("project/data/" + split + "-images-idx3-ubyte", idx_bytes(count, true));
      scratch_.put("project/data/" + split + "-labels-idx1-ubyte", idx_bytes(count, false));
    }
    std::string text = content_of(tiny_experiment(scratch_));
    const size_t data = text.find("dataset"), size = text.find("batch_size");
    text.replace(data, size - data, "dataset = \"fashion_mnist\"\nroot = \"data\"\n");
    text = text.substr(0, text.find("out = ")) + "out = \"runs\"\n";
    scratch_.put("project/moved.toml", text);
  }

  fs::path project() const { return scratch_.path(folder_); }
  fs::path run_folder(const std::string& number = "001") const {
    return project() / "runs/tiny" / number;
  }
  /// Runs the program in a folder.
  static Finished retort_in(const fs::path& folder, const std::vector<std::string>& arguments) {
    return Program(arguments, {"env", "-C", folder.string()}).wait();
  }
  /// Starts the experiment in its project and stops it after its first epoch.
  void start_and_stop() const {
    Program program({"run", "moved.toml", "train.epochs=100000"},
                    {"env", "-C", project().string()});
    while (program.running() && !fs::exists(run_folder() / "checkpoints/resume/000001.json")) {
      std::this_thread::yield();
    }
    program.send(SIGINT);
    EXPECT_EQ(program.wait().code, 130);
  }
  /// Makes the folder one of version 0.1, in which all paths were as the user wrote them.
  void make_old(const fs::path& folder) const {
    std::string text = content_of(folder / "experiment.toml");
    const std::string start = fs::canonical(project()).string() + "/";
    for (size_t at; (at = text.find(start)) != std::string::npos;) text.erase(at, start.size());
    std::ofstream(folder / "experiment.toml") << text;
    auto run = nlohmann::json::parse(content_of(folder / "run.json"));
    run.erase("started_in");
    std::ofstream(folder / "run.json") << run.dump(2);
  }
  /// Goes on elsewhere, and is stopped after another epoch.
  Finished resume_in(const fs::path& folder) const {
    const fs::path metrics = run_folder() / "metrics.jsonl";
    const auto size = fs::file_size(metrics);
    Program program({"run", "--resume", run_folder().string()}, {"env", "-C", folder.string()});
    while (program.running() && fs::file_size(metrics) <= size) std::this_thread::yield();
    program.send(SIGINT);
    return program.wait();
  }

  Scratch scratch_;
  std::string folder_ = "project";
};

TEST_F(Project, IsResumedAndEvaluatedFromElsewhere) {
  start_and_stop();
  const std::string text = content_of(run_folder() / "experiment.toml");
  const std::string here = fs::canonical(project()).string();
  EXPECT_THAT(text, AllOf(HasSubstr("root = \"" + here + "/data\"\n"),
                          HasSubstr("out = \"" + here + "/runs\"\n")));
  const Finished resumed = resume_in("/");
  EXPECT_EQ(resumed.code, 130) << resumed.err;
  EXPECT_THAT(resumed.err, AllOf(HasSubstr("works in  " + here), HasSubstr("resumes ")));
  EXPECT_EQ(content_of(run_folder() / "experiment.toml"), text);

  ASSERT_EQ(retort_in(project(), {"run", "moved.toml", "train.epochs=1"}).code, 0);
  const Finished eval = retort_in("/", {"eval", run_folder("002").string()});
  EXPECT_EQ(eval.code, 0) << eval.err;
  EXPECT_THAT(eval.out, AllOf(HasSubstr("of 32 right"), HasSubstr("teacher ")));
  // What the command line says is relative to where the command is given.
  const Finished other =
      retort_in(scratch_.folder(), {"eval", run_folder("002").string(), "data.root=project/data"});
  EXPECT_EQ(other.code, 0) << other.err;
}

TEST_F(Project, OfAnOldRunFolderIsFoundByTheFolder) {
  start_and_stop();
  make_old(run_folder());
  EXPECT_EQ(resume_in("/").code, 130);
  EXPECT_EQ(resume_in(project()).code, 130);
  fs::rename(run_folder(), scratch_.path("elsewhere"));
  const Finished lost = retort_in("/", {"run", "--resume", scratch_.path("elsewhere").string()});
  EXPECT_EQ(lost.code, 3) << lost.err;
  EXPECT_THAT(lost.err, AllOf(HasSubstr("experiment.toml:6:8: root \"data\""),
                              HasSubstr("was not found in /;")));
}

TEST_F(Project, MayBeMoved) {
  start_and_stop();
  fs::rename(project(), scratch_.path("another"));
  folder_ = "another";
  const Finished resumed = resume_in("/");
  EXPECT_EQ(resumed.code, 130) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("works in  " + fs::canonical(project()).string()));
}

TEST_F(Project, FindsItsFinishedTrials) {
  const std::vector<std::string> sweep = {"run", "moved.toml", "train.epochs=1",
                                          "sweep.keys={ seed = [1, 2] }"};
  ASSERT_EQ(retort_in(project(), sweep).code, 0);
  const auto finds_both = [&] {
    const Finished again = retort_in(project(), sweep);
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.err, AllOf(HasSubstr("finished before: runs/tiny/001"),
                                 HasSubstr("finished before: runs/tiny/002")));
    EXPECT_FALSE(fs::exists(run_folder("003")));
  };
  finds_both();
  make_old(run_folder("001"));
  finds_both();
  const Finished compared =
      retort_in("/", {"compare", "--json", run_folder("001").string(), run_folder("002").string()});
  EXPECT_EQ(nlohmann::json::parse(compared.out)[0]["top1"]["runs"], 2);
  fs::rename(project(), scratch_.path("another"));
  folder_ = "another";
  finds_both();
}

TEST_F(Project, WithOtherImagesIsAnotherTrial) {
  const std::vector<std::string> run = {"run", "moved.toml", "train.epochs=1", "seeds=[1, 2]"};
  ASSERT_EQ(retort_in(project(), run).code, 0);
  fs::copy(project() / "data", project() / "more");
  std::vector<std::string> other = run;
  other.push_back("data.root=more");
  EXPECT_THAT(retort_in(project(), other).err, Not(HasSubstr("finished before")));
}

}  // namespace
}  // namespace retort::test
