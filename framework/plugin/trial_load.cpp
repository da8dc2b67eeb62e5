#include "framework/plugin/trial_load.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

#include "framework/base/error.hpp"
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

/// `said` is a file for what the plugin writes to stderr, or -1.
[[noreturn]] void run_child(const std::filesystem::path& file, int said) {
  ::setpgid(0, 0);
  constexpr rlimit kNoCore = {0, 0};
  ::setrlimit(RLIMIT_CORE, &kNoCore);
  if (const int null = ::open("/dev/null", O_RDWR); null >= 0)
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, stream);
  if (said >= 0) ::dup2(said, STDERR_FILENO);
  for (const int signal :
       {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGINT, SIGTERM})
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

/// Whether the child would go on if the machine let it: it is not waiting for anything, and has not
/// had `limit` of processor time.
bool is_starved(pid_t child, std::chrono::milliseconds limit) {
  std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
  const std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(text.substr(std::min(text.rfind(')'), text.size() - 1) + 1));
  std::string state, skipped;
  fields >> state;
  for (int field = 4; field < 14; ++field) fields >> skipped;
  int64_t user = 0, system = 0;  // in ticks
  fields >> user >> system;
  return fields && (state == "R" || state == "D") &&
         (user + system) * 1000 < limit.count() * ::sysconf(_SC_CLK_TCK);
}

/// The first line that the plugin wrote to stderr, in brief.
std::string first_line_of(int said) {
  char text[2048];
  const ssize_t size = ::pread(said, text, sizeof text, 0);
  std::istringstream lines(std::string(text, static_cast<size_t>(std::max<ssize_t>(size, 0))));
  std::string line;
  while (std::getline(lines, line)) {
    // "==123==": sanitizers begin so, with the number of the process.
    if (line.starts_with("==")) line.erase(0, line.find("==", 2) + 2);
    if (!line.empty()) break;
  }
  return shown(line, 300);
}

/// What to do about a plugin that gives this reason.
std::string remedy_for(const std::string& reason) {
  const auto preload = [](const std::string& sanitizer, const std::string& library) {
    return "it is built with -fsanitize=" + sanitizer + ": start retort with LD_PRELOAD=$(g++ " +
           "-print-file-name=" + library + "), or build it without";
  };
  if (reason.find("ASan runtime") != std::string::npos) return preload("address", "libasan.so");
  if (reason.find("libtsan") != std::string::npos) return preload("thread", "libtsan.so");
  if (reason.find("static TLS") != std::string::npos)
    return "the library named must be there from the start: name its file in LD_PRELOAD";
  return "correct its static constructors and libraries, or remove the file";
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
  const int said = ::memfd_create("retort-trial", MFD_CLOEXEC);
  int ends[2];
  const pid_t child = ::pipe2(ends, O_CLOEXEC) == 0 ? ::fork() : -1;
  if (child < 0)
    throw EnvironmentError(file.string() + ": cannot be tried in a child process (" +
                           std::strerror(errno) + "); free processes or file descriptors");
  if (child == 0) {
    answer_pipe = ends[1];
    run_child(file, said);
  }
  ::setpgid(child, child);  // here too, whichever of the two comes first
  ::close(ends[1]);
  const Deadline start = std::chrono::steady_clock::now();
  Deadline deadline = start + limit;
  std::string line = read_answer(ends[0], deadline);
  while (line.empty() && deadline < start + 6 * limit && is_starved(child, limit)) {
    deadline = std::chrono::steady_clock::now() + limit / 5;
    line = read_answer(ends[0], deadline);
  }
  ::close(ends[0]);
  const bool timed_out = line.empty() && !has_ended(child, deadline);
  ::kill(-child, SIGKILL);  // with whatever the plugin has started
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::string problem = judge(line, timed_out, status, limit);
  const std::string words = problem.empty() || !line.empty() ? "" : first_line_of(said);
  if (said >= 0) ::close(said);
  if (problem.empty()) return;
  if (!words.empty()) problem += " and said \"" + words + "\"";
  throw PluginError(file.string() + ": " + problem + "; " + remedy_for(problem));
}

}  // namespace retort::host
