// Runs in the launcher, without LibTorch or any other library.
#include "framework/guard/launch.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>
#include <new>

#include "framework/guard/crash_mark.hpp"
#include "framework/guard/last_words.hpp"
#include "framework/guard/write_text.hpp"

namespace retort::host {
namespace {

constexpr int kNotStarted = 5;
constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
std::atomic<pid_t> child_process = 0;

/// Signals of the terminal reach both processes; those of another program only this one.
void pass_on(int number, siginfo_t* info, void*) {
  if (info->si_code <= 0 && child_process != 0) kill(child_process, number);
}

void set_handlers() {
  struct sigaction action = {};
  action.sa_sigaction = pass_on;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  for (const int number : kPassedOn) sigaction(number, &action, nullptr);
}

/// Returns where the program could not be started.
void become(const std::string& program, char** argv) {
  execv(program.c_str(), argv);
  std::perror(("retort: " + program).c_str());
}

/// Memory for both processes, behind a file that is open in the program too; null where there is none.
LastWords* make_words() {
  std::signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes holds for this one too
  const int file = memfd_create(kLastWordsVariable, 0);
  if (file < 0) return nullptr;
  void* memory = MAP_FAILED;
  if (ftruncate(file, sizeof(LastWords)) == 0) {
    memory = mmap(nullptr, sizeof(LastWords), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  if (memory == MAP_FAILED) {
    close(file);
    return nullptr;
  }
  setenv(kLastWordsVariable, std::to_string(file).c_str(), 1);
  return new (memory) LastWords;
}

/// Signals wait meanwhile, so that none is lost between the fork and the note of its number.
pid_t start(const std::string& program, char** argv, LastWords& words) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (getppid() == parent) become(program, argv);
    words.answered = true;
    _exit(kNotStarted);
  }
  if (child > 0) {
    child_process = child;
    set_handlers();
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return child;
}

bool is_wish(int signal) {
  return std::find(std::begin(kPassedOn), std::end(kPassedOn), signal) != std::end(kPassedOn);
}

/// What nobody told yet about an end that is no answer; "" where there is nothing to tell.
std::string untold(const LastWords& words, int status) {
  const std::string command = words.command[0] == '\0' ? "retort" : words.command;
  const std::string call = words.call[0] == '\0' ? "" : std::string(words.call) + ": ";
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (signal == SIGPIPE) return "";  // nobody reads what it prints
  if (is_wish(signal)) {
    return words.call_runs ? call + command + " was stopped (" + strsignal(signal) + ")" : "";
  }
  if (signal == SIGKILL) {
    return call + command +
           " was killed (SIGKILL): by hand, or by the system for want of memory; try a smaller "
           "data.batch_size, or free some memory";
  }
  const std::string way = signal != 0 ? std::string(strsignal(signal))
                                      : "exit code " + std::to_string(WEXITSTATUS(status));
  return call + "the process ended before " + command + " was done (" + way +
         "); a plugin throws to report a failure, and returns otherwise";
}

/// As the inside of a JSON string. What the program left is safe text: it holds no controls.
std::string json_inside(const std::string& text) {
  std::string inside;
  for (const char c : text) {
    if (c == '"' || c == '\\') inside += '\\';
    inside += c;
  }
  return inside;
}

void tell(const LastWords& words, const std::string& message) {
  std::string line = message;
  if (words.as_json) {
    timespec now = {};
    clock_gettime(CLOCK_REALTIME, &now);
    char time[32];
    std::snprintf(time, sizeof time, "%lld.%06ld", static_cast<long long>(now.tv_sec),
                  now.tv_nsec / 1000);
    line = std::string("{\"time\":") + time + R"(,"level":"error","message":")" +
           json_inside(message) + "\"}";
  } else if (isatty(STDERR_FILENO) != 0) {
    line.insert(0, "\r\x1b[K");  // over a line of progress
  }
  write_text(STDERR_FILENO, line + "\n");
}

/// Dies by a signal as the program did, without a second core file.
[[noreturn]] void die_by(int signal) {
  prctl(PR_SET_DUMPABLE, 0);
  std::signal(signal, SIG_DFL);
  raise(signal);
  _exit(128 + signal);
}

}  // namespace

int launch(const std::string& program, char** argv) {
  LastWords* words = make_words();
  const pid_t child = words == nullptr ? -1 : start(program, argv, *words);
  if (child < 0) {
    unsetenv(kLastWordsVariable);
    become(program, argv);
    return kNotStarted;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return kNotStarted;
  }
  child_process = 0;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (signal == 0 && words->answered) return WEXITSTATUS(status);
  if (!words->told) {
    const std::string message = untold(*words, status);
    if (!message.empty()) tell(*words, message);
    // A run that was stopped or killed from outside is left as it is, to go on from.
    if (signal != SIGKILL && signal != SIGPIPE && !is_wish(signal)) {
      write_crash_mark(*words, json_inside(message));
    }
  }
  const bool is_crash = signal != SIGPIPE && !is_wish(signal);
  if (signal != 0 && !(is_crash && words->crash_is_code)) die_by(signal);
  return 1;
}

}  // namespace retort::host
