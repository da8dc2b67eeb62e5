// What is on the disk after a loss of power follows from the order of the system calls: the content
// is flushed before the name points to it, the name before anything relies on it.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

struct Event {
  std::string call;  // create, write, fsync, rename, remove
  fs::path path;     // of a rename: the new name

  std::string text() const {
    // The suffix of a temporary file is random.
    static const std::regex suffix("\\.[0-9a-f]{16}\\.tmp$");
    return call + " " + std::regex_replace(path.filename().string(), suffix, ".tmp");
  }
};

/// The calls of one thread that changed files below a folder and did not fail.
std::vector<Event> events_of(const fs::path& trace, const fs::path& below) {
  static const std::map<std::string, std::string> kCalls = {
      {"openat", "create"},    {"write", "write"},   {"pwrite64", "write"}, {"fsync", "fsync"},
      {"mkdir", "mkdir"},      {"mkdirat", "mkdir"}, {"rename", "rename"},  {"renameat", "rename"},
      {"renameat2", "rename"}, {"unlink", "remove"}, {"unlinkat", "remove"}};
  static const std::regex line(R"(^(\w+)\((?:\d+<([^>]*)>)?(.*)\) += [0-9]+.*)");
  static const std::regex quoted("\"([^\"]*)\"");
  std::vector<Event> events;
  std::ifstream file(trace);
  for (std::string text; std::getline(file, text);) {
    std::smatch match;
    if (!std::regex_match(text, match, line)) continue;
    const std::string call = match[1], arguments = match[3];
    if (kCalls.count(call) == 0) continue;
    if (call == "openat" && arguments.find("O_CREAT") == std::string::npos) continue;
    fs::path path = match[2].str();
    if (call != "write" && call != "pwrite64" && call != "fsync") {
      // The last name, where a rename leads; a relative one is in the folder of the descriptor.
      std::string name;
      for (std::sregex_iterator at(arguments.begin(), arguments.end(), quoted), end; at != end;
           ++at)
        name = (*at)[1];
      path /= name;
    }
    if (path.string().rfind(below.string(), 0) == 0) events.push_back({kCalls.at(call), path});
  }
  return events;
}

/// The events of the tiny experiment, in order; none where strace may not trace here.
std::vector<Event> traced_run(const Scratch& scratch) {
  const std::string trace = scratch.path("trace").string();
  const fs::path experiment = tiny_experiment(scratch);
  // A file for each thread: no call is then cut in two by another thread's.
  Program program(
      {"run", experiment.string()},
      {"strace", "-ff", "-y", "-s", "0", "-o", trace, "-e",
       "trace=openat,write,pwrite64,fsync,?mkdir,mkdirat,?rename,?renameat,renameat2,?unlink,"
       "unlinkat"});
  if (program.wait().code != 0) return {};
  std::vector<Event> found;
  for (const auto& entry : fs::directory_iterator(scratch.folder())) {
    if (entry.path().stem() != "trace") continue;
    std::vector<Event> events = events_of(entry.path(), scratch.folder());
    if (events.size() > found.size()) found = std::move(events);
  }
  return found;
}

constexpr const char* kNoTrace = "strace is missing, or may not trace here";

/// The events about the saved states, those of one call in a row counted once.
std::vector<std::string> texts_of(const std::vector<Event>& events, const fs::path& folder) {
  std::vector<std::string> texts;
  for (const Event& event : events) {
    if (event.path != folder && event.path.parent_path() != folder) continue;
    if (texts.empty() || texts.back() != event.text()) texts.push_back(event.text());
  }
  return texts;
}

TEST(SaveOrder, OfAStateIsTensorsThenManifestThenTheOldStateGoes) {
  const Scratch scratch;
  const std::vector<Event> events = traced_run(scratch);
  if (events.empty()) GTEST_SKIP() << kNoTrace;
  const std::vector<std::string> texts =
      texts_of(events, scratch.path("runs/tiny/001/checkpoints/resume"));
  const auto third = std::find(texts.begin(), texts.end(), "create 000003.safetensors.tmp");
  ASSERT_GE(texts.end() - third, 12);
  EXPECT_THAT(std::vector<std::string>(third, third + 12),
              ElementsAre("create 000003.safetensors.tmp", "write 000003.safetensors.tmp",
                          "fsync 000003.safetensors.tmp", "rename 000003.safetensors",
                          "fsync resume", "create 000003.json.tmp", "write 000003.json.tmp",
                          "fsync 000003.json.tmp", "rename 000003.json", "fsync resume",
                          "remove 000001.json", "remove 000001.safetensors"));
}

/// Every file of a run, not only its states.
TEST(SaveOrder, FlushesContentBeforeNamesAndNamesBeforeTheNextStep) {
  const Scratch scratch;
  const std::vector<Event> events = traced_run(scratch);
  if (events.empty()) GTEST_SKIP() << kNoTrace;
  std::set<fs::path> dirty;  // content, or names of a folder, that are not on the disk
  std::set<fs::path> known;
  size_t renames = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const auto& [call, path] = events[i];
    SCOPED_TRACE(std::to_string(i) + ": " + events[i].text());
    if (path.filename() == "owner" || call == "remove") continue;  // nothing relies on these
    if (call == "fsync") {
      dirty.erase(path);
      continue;
    }
    if (call == "write") {
      dirty.insert(path);
      continue;
    }
    // Something new begins, or a name changes: all before it is on the disk.
    EXPECT_THAT(dirty, testing::IsEmpty());
    const bool temporary = path.extension() == ".tmp";
    if (!temporary && known.insert(path).second) dirty.insert(path.parent_path());
    if (call == "rename") dirty.insert(path.parent_path());
    renames += call == "rename" ? 1 : 0;
  }
  EXPECT_THAT(dirty, testing::IsEmpty());
  EXPECT_GT(renames, 20U);
}

TEST(SaveOrder, ResultsAreThereBeforeTheRunIsFinishedAndTheStatesGoLast) {
  const Scratch scratch;
  const std::vector<Event> events = traced_run(scratch);
  if (events.empty()) GTEST_SKIP() << kNoTrace;
  const auto last = [&](const std::string& text) {
    size_t found = 0;
    for (size_t i = 0; i < events.size(); ++i) {
      if (events[i].text() == text) found = i;
    }
    EXPECT_GT(found, 0U) << text;
    return found;
  };
  size_t first_cleared = events.size();
  while (first_cleared > 0 && events[first_cleared - 1].call == "remove") --first_cleared;
  EXPECT_LT(last("rename student.safetensors"), last("rename run.json"));
  EXPECT_LT(last("rename run.json"), last("rename report.html"));
  EXPECT_LT(last("rename report.html"), first_cleared);
  EXPECT_LT(first_cleared, events.size());
}

}  // namespace
}  // namespace retort::test
