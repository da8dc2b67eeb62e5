#include "framework/guard/child.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <new>

#include "framework/error.hpp"
#include "framework/guard/crash.hpp"
#include "framework/guard/running.hpp"

namespace retort::host {
namespace {

/// In memory that parent and child share.
struct Shared {
  std::atomic<bool> answered = false;
  std::atomic<bool> told = false;  // why it ended
  char call[1024] = "";            // the latest call into a plugin
};

Shared* shared = nullptr;
std::atomic<pid_t> child_process = 0;
constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/// Signals of the terminal reach both processes; those of another program only this one.
void pass_on(int number, siginfo_t* info, void*) {
  if (info->si_code <= 0 && child_process != 0) kill(child_process, number);
}

void set_handlers() {
  struct sigaction action = {};
  action.sa_sigaction = pass_on;
  action.sa_flags = SA_SIGINFO;
  for (const int number : kPassedOn) sigaction(number, &action, nullptr);
}

void reset_handlers() {
  for (const int number : kPassedOn) std::signal(number, SIG_DFL);
}

/// Forks while signals wait, so that none is lost between the fork and the note of its number.
pid_t fork_child() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = fork();
  if (child > 0) child_process = child;
  if (child > 0) set_handlers();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) break;
  }
  return status;
}

bool is_of_user(int signal) {
  return std::find(std::begin(kPassedOn), std::end(kPassedOn), signal) != std::end(kPassedOn);
}

std::string last_call() { return shared->call[0] == '\0' ? "" : std::string(shared->call) + ": "; }

ChildEnd end_of(const std::string& command, int status) {
  ChildEnd end;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (signal == 0 && shared->answered) {
    end.code = WEXITSTATUS(status);
    return end;
  }
  end.code = static_cast<int>(ExitCode::RunFailed);
  if (signal == SIGPIPE) {
    end.signal = signal;  // nobody reads what it prints
  } else if (is_of_user(signal)) {
    end.signal = signal;
    end.message = last_call() + command + " was stopped (" + strsignal(signal) + ")";
  } else if (signal == SIGKILL) {
    end.message = last_call() + command +
                  " was killed (SIGKILL): by hand, or by the system for want of memory; try a "
                  "smaller data.batch_size, or free some memory";
  } else if (!shared->told) {
    end.message = last_call() + "the process ended before " + command + " was done (" +
                  (signal != 0 ? std::string(strsignal(signal))
                               : "exit code " + std::to_string(WEXITSTATUS(status))) +
                  "); a plugin throws to report a failure, and returns otherwise";
  }
  return end;
}

}  // namespace

std::optional<ChildEnd> go_on_in_child(const std::string& command) {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw EnvironmentError(command +
                           ": no memory to share with a child process: " + std::strerror(errno));
  }
  shared = new (memory) Shared;
  std::fflush(nullptr);  // or both would write it
  const pid_t parent = getpid();
  const pid_t child = fork_child();
  if (child < 0) {
    throw EnvironmentError(command + ": cannot be tried in a child process (" +
                           std::strerror(errno) + "); free processes or memory");
  }
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) end_process(1);  // it died before
    adopt_crash_handlers(&shared->told);
    mirror_running_calls(shared->call, sizeof shared->call);
    return std::nullopt;
  }
  const int status = wait_for(child);
  child_process = 0;
  reset_handlers();
  return end_of(command, status);
}

void note_answer() {
  if (shared != nullptr) shared->answered = true;
}

[[noreturn]] void die_by(int signal) {
  std::signal(signal, SIG_DFL);
  raise(signal);
  end_process(128 + signal);
}

}  // namespace retort::host
