#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/framework/io/scratch.hpp"

namespace retort::test {

/// What a finished program leaves. `code` is 1000 + the signal's number where one killed it.
struct Finished {
  int code = -1;
  std::string out;
  std::string err;
};

/// The built program as a child process, its output in files of a folder of its own.
class Program {
 public:
  /// `before`: a program, with its arguments, that is started to run this one, such as strace.
  explicit Program(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& before = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  void send(int signal) const;
  bool running();
  /// What it wrote on standard error so far.
  std::string err() const { return content_of(scratch_.path("err")); }
  Finished wait();

 private:
  Scratch scratch_;
  pid_t child_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

/// Runs the program to its end.
inline Finished retort(const std::vector<std::string>& arguments) {
  return Program(arguments).wait();
}

/// An experiment that trains in a moment: two convnets on synthetic images, two transfers, two
/// epochs. It writes below `scratch`/runs.
std::filesystem::path tiny_experiment(const Scratch& scratch);

/// Runs the tiny experiment with overrides.
Finished run_tiny(const Scratch& scratch, std::vector<std::string> overrides);

}  // namespace retort::test
