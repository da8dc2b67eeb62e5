#pragma once

#include <optional>
#include <string>

namespace retort::host {

/// How a child process ended, for the parent to tell and to end by.
struct ChildEnd {
  int code = 0;         // to exit with, where no signal is
  int signal = 0;       // of the user: to die by
  std::string message;  // "" where the child told everything itself
};

/// Goes on in a child process, which is made by a fork: before the first operator of LibTorch, whose
/// threads would be missing in it, and before CUDA is used. In the child it returns nothing. In
/// the parent it passes signals on, waits, and returns how the child ended: as it says where it came
/// to its end (note_answer), else with code 1 and a message that names the plugin.
std::optional<ChildEnd> go_on_in_child(const std::string& command);

/// The child came to its end: its exit code is an answer.
void note_answer();

/// Dies by a signal, as if there were no handler.
[[noreturn]] void die_by(int signal);

}  // namespace retort::host
