#pragma once

#include <string>

namespace retort::host {

/// Runs a program as a child and returns the exit code to end with, once it has ended: the program's
/// own where it came to its end (note_answer), else 1, with a message that names the plugin and the
/// run folder marked as failed. Does not return where a signal killed the program: this process then
/// dies by it too. Signals that ask the user's wish (INT, TERM, HUP, QUIT) are passed on. A death of
/// this process kills the program.
/// Where there is no child process to be had, this process becomes the program.
int launch(const std::string& program, char** argv);

}  // namespace retort::host
