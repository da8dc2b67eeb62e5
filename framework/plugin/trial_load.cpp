#include "framework/plugin/trial_load.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "framework/error.hpp"
#include "framework/plugin/elf_file.hpp"
#include "retort/abi.h"

namespace retort::host {
namespace {

/// The first byte of the child's answer; for Unloadable and Threw a text follows.
enum class Answer : char { Loaded = 'L', Unloadable = 'U', Threw = 'T', Exited = 'E' };

constexpr size_t kMaxAnswer = 512;
int answer_pipe = -1;  // of the child; its exit and terminate handlers take no argument

[[noreturn]] void answer(Answer kind, std::string_view text = {}) {
  char line[kMaxAnswer] = {static_cast<char>(kind)};
  const size_t length = std::min(text.size(), sizeof line - 1);
  std::copy_n(text.begin(), length, line + 1);
  // Within PIPE_BUF: written whole or not at all. A parent that is gone needs no answer.
  [[maybe_unused]] const ssize_t written = ::write(answer_pipe, line, length + 1);
  ::_exit(0);
}

[[noreturn]] void answer_exception() {
  try {
    if (std::current_exception()) throw;
  } catch (const std::exception& error) {
    answer(Answer::Threw, error.what());
  } catch (...) {
    answer(Answer::Threw, "an exception that is no std::exception");
  }
  answer(Answer::Threw, "std::terminate");
}

/// What the loader says, without the path that it begins with.
std::string_view loader_error(const std::filesystem::path& file) {
  const char* error = ::dlerror();
  std::string_view text = error == nullptr ? "no reason given" : error;
  const std::string path = file.string() + ": ";
  if (text.starts_with(path)) text.remove_prefix(path.size());
  return text;
}

[[noreturn]] void run_child(const std::filesystem::path& file) {
  ::setpgid(0, 0);
  constexpr rlimit kNoCore = {0, 0};
  ::setrlimit(RLIMIT_CORE, &kNoCore);
  if (const int null = ::open("/dev/null", O_RDWR); null >= 0)
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, stream);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGINT, SIGTERM})
    std::signal(signal, SIG_DFL);
  // Registered last, so it runs before this process's own exit handlers would.
  std::atexit([] { answer(Answer::Exited); });
  std::set_terminate(answer_exception);
  try {
    void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) answer(Answer::Unloadable, loader_error(file));
    if (::dlsym(library, RETORT_ENTRY_SYMBOL) == nullptr)
      answer(Answer::Unloadable, loader_error(file));
    answer(Answer::Loaded);
  } catch (...) {
    answer_exception();
  }
}

using Deadline = std::chrono::steady_clock::time_point;

/// What the child wrote before it ended or the time was up.
std::string read_answer(int pipe, Deadline deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return {};
    pollfd waited = {pipe, POLLIN, 0};
    if (::poll(&waited, 1, static_cast<int>(left.count())) <= 0) continue;
    char line[kMaxAnswer];
    const ssize_t got = ::read(pipe, line, sizeof line);
    if (got < 0 && errno == EINTR) continue;
    return std::string(line, got < 0 ? 0 : static_cast<size_t>(got));
  }
}

/// Whether the child has ended before the deadline. It is not reaped: its number stays its own.
bool has_ended(pid_t child, Deadline deadline) {
  while (std::chrono::steady_clock::now() < deadline) {
    siginfo_t info = {};
    const int result =
        ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT | WNOHANG);
    if ((result == 0 && info.si_pid == child) || (result != 0 && errno != EINTR)) return true;
    ::usleep(500);
  }
  return false;
}

/// Why a child that gave no answer ended.
std::string ending(int status) {
  if (WIFSIGNALED(status))
    return "crashed while it was loaded (" + std::string(::strsignal(WTERMSIG(status))) + ")";
  return "ended the process while it was loaded (exit code " + std::to_string(WEXITSTATUS(status)) +
         ")";
}

/// What is wrong, from the answer; empty where nothing is.
std::string judge(const std::string& line, bool timed_out, int status,
                  std::chrono::milliseconds limit) {
  const std::string rest = line.empty() ? "" : line.substr(1);
  if (timed_out)
    return "hangs while it is loaded: no answer within " + std::to_string(limit.count()) + " ms";
  if (line.empty()) return ending(status);
  switch (static_cast<Answer>(line.front())) {
    case Answer::Loaded:
      return {};
    case Answer::Unloadable:
      return "cannot be loaded (" + shown(rest, kMaxAnswer) + ")";
    case Answer::Threw:
      return "throws while it is loaded (" + shown(rest, kMaxAnswer) + ")";
    case Answer::Exited:
      return "calls exit() while it is loaded";
  }
  return "answers \"" + shown(line) + "\" while it is loaded";
}

}  // namespace

void trial_load(const std::filesystem::path& file, std::chrono::milliseconds limit) {
  int ends[2];
  const pid_t child = ::pipe2(ends, O_CLOEXEC) == 0 ? ::fork() : -1;
  if (child < 0)
    throw EnvironmentError(file.string() + ": cannot be tried in a child process (" +
                           std::strerror(errno) + "); free processes or file descriptors");
  if (child == 0) {
    answer_pipe = ends[1];
    run_child(file);
  }
  ::setpgid(child, child);  // here too, whichever of the two comes first
  ::close(ends[1]);
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  const std::string line = read_answer(ends[0], deadline);
  ::close(ends[0]);
  const bool timed_out = line.empty() && !has_ended(child, deadline);
  ::kill(-child, SIGKILL);  // with whatever the plugin has started
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string problem = judge(line, timed_out, status, limit);
  if (!problem.empty())
    throw PluginError(file.string() + ": " + problem +
                      "; correct its static constructors and libraries, or remove the file");
}

}  // namespace retort::host
