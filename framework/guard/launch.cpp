// Runs in the launcher, without LibTorch or any other library.
#include "framework/guard/launch.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>
#include <optional>
#include <string>

#include "framework/guard/crash_mark.hpp"
#include "framework/guard/last_line.hpp"
#include "framework/guard/last_words.hpp"
#include "framework/guard/monotonic.hpp"

namespace retort::host {
namespace {

constexpr int kNotStarted = 5;
constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr int kStops[] = {SIGINT, SIGTERM};
constexpr int64_t kPatienceMs = 2000;
constexpr int64_t kLookMs = 500;

bool is_wish(int signal) {
  return std::find(std::begin(kPassedOn), std::end(kPassedOn), signal) != std::end(kPassedOn);
}
bool is_timer(int signal) { return signal == SIGALRM || signal == SIGVTALRM || signal == SIGPROF; }
bool is_stop(int signal) {
  return std::find(std::begin(kStops), std::end(kStops), signal) != std::end(kStops);
}

/// Returns where the program could not be started.
void become(const std::string& program, char** argv) {
  execv(program.c_str(), argv);
  std::perror(("retort: " + program).c_str());
}

/// Memory for both processes, behind a file that is open in the program too; null where there is none.
LastWords* make_words() {
  std::signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes holds for this one too
  int file = memfd_create(kLastWordsVariable, 0);
  if (file >= 0 && file <= STDERR_FILENO) {  // that of a standard stream which is closed
    const int high = fcntl(file, F_DUPFD, STDERR_FILENO + 1);
    close(file);
    file = high;
  }
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

/// The signals that the launcher waits for; blocked, so that none is lost. `before`: the mask that the
/// program is to have.
sigset_t block_signals(sigset_t& before) {
  std::signal(SIGCHLD, SIG_DFL);  // who ignores it gets no child's exit status
  sigset_t waited;
  sigemptyset(&waited);
  sigaddset(&waited, SIGCHLD);
  for (const int number : kPassedOn) sigaddset(&waited, number);
  sigprocmask(SIG_BLOCK, &waited, &before);
  return waited;
}

pid_t start(const std::string& program, char** argv, LastWords& words, const sigset_t& before) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (getppid() == parent) become(program, argv);
    words.answered = true;
    _exit(kNotStarted);
  }
  return child;
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
  if (is_timer(signal)) {
    return command + " was ended by a timer (" + strsignal(signal) +
           ") that a plugin or library started, by alarm(), setitimer() or timer_create()" +
           (call.empty() ? "" : "; the latest call is " + std::string(words.call)) +
           "; a plugin leaves no timer running";
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

void tell(const LastWords& words, const char* level, const std::string& message) {
  write_last_line(words, level, (words.as_json ? json_inside(message) : message).c_str());
}

/// Watches a program that was asked to stop and did not: says once which call it is in, where that is
/// the same one at two looks. Asked once more after that it ends it, whatever became of its signals.
class StopWatch {
 public:
  StopWatch(const LastWords& words, pid_t program) : words_(words), program_(program) {}

  void asked() {
    if (killed_) return;
    if (next_look_ == 0) next_look_ = monotonic_ms() + kPatienceMs - kLookMs;
    if (told_ && !ends_) next_look_ = monotonic_ms() + kLookMs;
    ends_ = told_;
  }
  /// Until the next look; nothing where there is none to come.
  std::optional<int64_t> left_ms() const {
    if (next_look_ == 0 || (told_ && !ends_)) return std::nullopt;
    return std::max<int64_t>(next_look_ - monotonic_ms(), 0);
  }
  bool has_killed() const { return killed_; }
  void look() {
    if (ends_) {
      tell(words_, "error", "the program does not react to signals; it was killed");
      kill(program_, SIGKILL);
      killed_ = true;
      next_look_ = 0;
      return;
    }
    const std::string call = words_.call_runs ? words_.call : "";
    const uint64_t calls = words_.calls;  // one that is made again and again moves on
    if (!call.empty() && call == last_call_ && calls == last_calls_) {
      tell(words_, "warning", "waiting for " + call + "; once more to end at once");
      told_ = true;
    }
    last_call_ = call;
    last_calls_ = calls;
    next_look_ = monotonic_ms() + kLookMs;
  }

 private:
  const LastWords& words_;
  pid_t program_;
  int64_t next_look_ = 0;
  std::string last_call_;
  uint64_t last_calls_ = 0;
  bool told_ = false;  // which call it is in
  bool ends_ = false;
  bool killed_ = false;
};

/// Waits for the end of the program, whose status it returns, and passes signals on meanwhile: those of
/// the terminal reach both processes, those of another program only this one.
int wait_for(pid_t child, const sigset_t& waited, LastWords& words) {
  StopWatch watch(words, child);
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) {
      if (watch.has_killed()) words.told = true;
      return status;
    }
    if (ended < 0 && errno != EINTR) return kNotStarted << 8;
    siginfo_t info = {};
    const std::optional<int64_t> left = watch.left_ms();
    const timespec limit = {left.value_or(0) / 1000, left.value_or(0) % 1000 * 1000000};
    const int number = sigtimedwait(&waited, &info, left ? &limit : nullptr);
    if (number < 0 && errno == EAGAIN) watch.look();
    if (number > 0 && is_wish(number) && info.si_code <= 0) kill(child, number);
    if (number > 0 && is_stop(number)) watch.asked();
  }
}

/// Dies by a signal as the program did, without a second core file.
[[noreturn]] void die_by(int signal) {
  prctl(PR_SET_DUMPABLE, 0);
  std::signal(signal, SIG_DFL);
  sigset_t deadly;
  sigemptyset(&deadly);
  sigaddset(&deadly, signal);
  raise(signal);
  sigprocmask(SIG_UNBLOCK, &deadly, nullptr);
  _exit(128 + signal);
}

}  // namespace

int launch(const std::string& program, char** argv) {
  sigset_t before;
  LastWords* words = make_words();
  const sigset_t waited = block_signals(before);
  const pid_t child = words == nullptr ? -1 : start(program, argv, *words, before);
  if (child < 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    unsetenv(kLastWordsVariable);
    become(program, argv);
    return kNotStarted;
  }
  std::signal(SIGPIPE, SIG_IGN);  // its death would be the program's
  const int status = wait_for(child, waited, *words);
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (signal == 0 && words->answered) return WEXITSTATUS(status);
  if (!words->told) {
    const std::string message = untold(*words, status);
    // A run that was stopped or killed from outside is left as it is, to go on from.
    if (signal != SIGKILL && signal != SIGPIPE && !is_wish(signal)) {
      write_crash_mark(*words, json_inside(message));
    }
    if (!message.empty()) tell(*words, "error", message);
  }
  const bool is_crash = signal != SIGPIPE && !is_wish(signal);
  if (signal != 0 && !(is_crash && words->crash_is_code)) die_by(signal);
  return 1;
}

}  // namespace retort::host
