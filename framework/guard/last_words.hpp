#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace retort::host {

/// What the program leaves for its parent, the launcher, to tell where it ends without a word of its
/// own. It is in memory of both, so it holds no pointers, and outlives the program.
struct LastWords {
  static constexpr uint64_t kMagic = 0x7364726f77747372;

  uint64_t magic = kMagic;
  std::atomic<bool> answered = false;  // it came to its end: its exit code is an answer
  std::atomic<bool> told = false;      // why it ended
  std::atomic<bool> as_json = false;   // the log is
  std::atomic<bool> crash_is_code =
      false;                            // a crash ends the command with code 1, not by its signal
  std::atomic<bool> call_runs = false;  // the latest call into a plugin
  std::atomic<uint64_t> calls = 0;      // begun, and ended, so far
  char command[32] = "";                // "check"
  char call[1024] = "";                 // "logits.mine 0.2.0 (mine.retort) in loss(), step 3"

  /// What replaces a file where the program fails: the first part of `text`, the reason as the inside
  /// of a JSON string, the rest.
  struct Mark {
    std::atomic<bool> set = false;
    char file[4096] = "";
    size_t before = 0;  // bytes of `text` that come before the reason
    size_t size = 0;
    char text[1 << 20];  // not set to 0: the memory is new
  } mark;
};

/// The variable of the environment with the number of the open file that holds the LastWords.
constexpr const char* kLastWordsVariable = "RETORT_LAST_WORDS";

/// Those that the launcher reads, or this process' own where no launcher started it. Lives as long as
/// the process.
LastWords& last_words();

/// Takes the memory that the launcher made, if it did. Called once, at the start of main.
void join_launcher();

/// Names the command, for the launcher's message.
void set_command(const char* command);

/// The program came to its end: its exit code is an answer. Says nothing in a copy made by fork().
void note_answer();

}  // namespace retort::host
