#include "framework/guard/process_state.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>

#include "framework/guard/host_files.hpp"

namespace retort::host {
namespace {

std::string working_directory() {
  char* path = getcwd(nullptr, 0);
  std::string text = path == nullptr ? "" : path;
  std::free(path);
  return text;
}

mode_t mode_mask() {
  const mode_t mask = umask(077);  // nobody else may read what another thread makes just now
  umask(mask);
  return mask;
}

/// LibTorch and CUDA set such variables themselves, whenever they are first used.
bool is_of_libraries(std::string_view entry) {
  constexpr std::string_view kPrefixes[] = {"CUDA_", "CUBLAS_", "TORCH_", "PYTORCH_", "KINETO_"};
  return std::ranges::any_of(kPrefixes,
                             [&](std::string_view prefix) { return entry.starts_with(prefix); });
}

std::vector<std::string> environment_entries() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    if (!is_of_libraries(*entry)) entries.emplace_back(*entry);
  return entries;
}

std::map<std::string, std::string> by_name(const std::vector<std::string>& entries) {
  std::map<std::string, std::string> values;
  for (const std::string& entry : entries) {
    const size_t end = entry.find('=');
    if (end != std::string::npos) values.emplace(entry.substr(0, end), entry.substr(end + 1));
  }
  return values;
}

__rlimit_resource limit_of(int resource) { return static_cast<__rlimit_resource>(resource); }

std::string limit_name(int resource) {
  constexpr std::pair<int, const char*> kNames[] = {
      {RLIMIT_AS, "address space"}, {RLIMIT_DATA, "data"},
      {RLIMIT_STACK, "the stack"},  {RLIMIT_CPU, "CPU time"},
      {RLIMIT_FSIZE, "file sizes"}, {RLIMIT_NOFILE, "open files"},
      {RLIMIT_NPROC, "processes"},  {RLIMIT_MEMLOCK, "locked memory"},
      {RLIMIT_CORE, "core files"}};
  for (const auto& [known, name] : kNames)
    if (known == resource) return "the limit of " + std::string(name);
  return "resource limit " + std::to_string(resource);
}

bool is_catchable(int number) { return number != SIGKILL && number != SIGSTOP; }

bool same_handler(const struct sigaction& a, const struct sigaction& b) {
  const bool with_info = (a.sa_flags & SA_SIGINFO) != 0;
  if (with_info != ((b.sa_flags & SA_SIGINFO) != 0)) return false;
  return with_info ? a.sa_sigaction == b.sa_sigaction : a.sa_handler == b.sa_handler;
}

std::string signal_name(int number) {
  constexpr std::pair<int, const char*> kNames[] = {
      {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
      {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
      {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"}, {SIGPIPE, "SIGPIPE"},
      {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"}, {SIGCHLD, "SIGCHLD"}, {SIGXCPU, "SIGXCPU"},
      {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"},   {SIGTSTP, "SIGTSTP"}, {SIGCONT, "SIGCONT"}};
  for (const auto& [known, name] : kNames)
    if (known == number) return name;
  return "signal " + std::to_string(number);
}

/// What ends the process where nobody handles its signal.
constexpr const char* kTimers[] = {"the timer of alarm() and setitimer(ITIMER_REAL)",
                                   "the timer of setitimer(ITIMER_VIRTUAL)",
                                   "the timer of setitimer(ITIMER_PROF)"};
static_assert(ITIMER_REAL == 0 && ITIMER_VIRTUAL == 1 && ITIMER_PROF == 2);

/// Whether two states of a timer may be of one that only ran on.
bool same_timer(const itimerval& a, const itimerval& b) {
  return timerisset(&a.it_value) == timerisset(&b.it_value) &&
         !timercmp(&a.it_interval, &b.it_interval, !=);
}

}  // namespace

ProcessState::ProcessState()
    : locale_(std::setlocale(LC_ALL, nullptr)),
      thread_locale_(uselocale(nullptr)),
      folder_(working_directory()),
      mask_(mode_mask()),
      environment_(environment_entries()),
      terminate_(std::get_terminate()),
      out_of_memory_(std::get_new_handler()) {
  for (int number = 1; number < static_cast<int>(handlers_.size()); ++number)
    if (is_catchable(number)) sigaction(number, nullptr, &handlers_[static_cast<size_t>(number)]);
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked_);
  for (int resource = 0; resource < RLIM_NLIMITS; ++resource)
    getrlimit(limit_of(resource), &limits_[static_cast<size_t>(resource)]);
  for (size_t timer = 0; timer < timers_.size(); ++timer)
    getitimer(static_cast<__itimer_which>(timer), &timers_[timer]);
}

std::vector<std::string> ProcessState::restore() const {
  const ProcessState now;
  std::vector<std::string> changes;
  restore_locales(now, changes);
  restore_files(now, changes);
  restore_limits(now, changes);
  restore_environment(now, changes);
  restore_timers(now, changes);
  restore_signals(now, changes);
  return changes;
}

void ProcessState::restore_locales(const ProcessState& now,
                                   std::vector<std::string>& changes) const {
  if (now.stream_locale_ != stream_locale_) {
    changes.push_back("the locale of C++ streams (to " + now.stream_locale_.name() + ")");
    std::locale::global(stream_locale_);  // may set that of C too, which is put back below
  }
  if (now.thread_locale_ != thread_locale_) {
    changes.emplace_back("the thread's locale");
    uselocale(thread_locale_);
  }
  if (now.locale_ != locale_) changes.push_back("the locale (to " + now.locale_ + ")");
  if (std::setlocale(LC_ALL, nullptr) != locale_) std::setlocale(LC_ALL, locale_.c_str());
}

void ProcessState::restore_files(const ProcessState& now, std::vector<std::string>& changes) const {
  if (now.folder_ != folder_) {
    changes.push_back("the working directory (to " + now.folder_ + ")");
    if (!folder_.empty() && chdir(folder_.c_str()) != 0)
      changes.back() += ", which cannot be put back: " + std::string(std::strerror(errno));
  }
  if (now.mask_ != mask_) {
    changes.emplace_back("the file mode mask (umask)");
    umask(mask_);
  }
  for (const std::string& name : put_back_host_files()) changes.push_back(name);
}

void ProcessState::restore_limits(const ProcessState& now,
                                  std::vector<std::string>& changes) const {
  for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
    const rlimit& before = limits_[static_cast<size_t>(resource)];
    const rlimit& after = now.limits_[static_cast<size_t>(resource)];
    if (before.rlim_cur == after.rlim_cur && before.rlim_max == after.rlim_max) continue;
    changes.push_back(limit_name(resource));
    if (setrlimit(limit_of(resource), &before) != 0)
      changes.back() += ", which cannot be put back: " + std::string(std::strerror(errno));
  }
}

void ProcessState::restore_environment(const ProcessState& now,
                                       std::vector<std::string>& changes) const {
  if (now.environment_ == environment_) return;
  const auto before = by_name(environment_), after = by_name(now.environment_);
  for (const auto& [name, value] : before) {
    const auto found = after.find(name);
    if (found != after.end() && found->second == value) continue;
    changes.push_back("the environment variable " + name);
    setenv(name.c_str(), value.c_str(), 1);
  }
  for (const auto& [name, value] : after) {
    if (before.contains(name)) continue;
    changes.push_back("the environment variable " + name);
    unsetenv(name.c_str());
  }
}

void ProcessState::restore_timers(const ProcessState& now,
                                  std::vector<std::string>& changes) const {
  for (size_t timer = 0; timer < timers_.size(); ++timer) {
    if (same_timer(timers_[timer], now.timers_[timer])) continue;
    changes.emplace_back(kTimers[timer]);
    setitimer(static_cast<__itimer_which>(timer), &timers_[timer], nullptr);
  }
}

void ProcessState::restore_signals(const ProcessState& now,
                                   std::vector<std::string>& changes) const {
  for (int number = 1; number < static_cast<int>(handlers_.size()); ++number) {
    const struct sigaction& before = handlers_[static_cast<size_t>(number)];
    if (!is_catchable(number) || same_handler(before, now.handlers_[static_cast<size_t>(number)])) {
      continue;
    }
    changes.push_back("what happens at " + signal_name(number));
    sigaction(number, &before, nullptr);
  }
  for (int number = 1; number < static_cast<int>(handlers_.size()); ++number) {
    if (sigismember(&blocked_, number) == sigismember(&now.blocked_, number)) continue;
    changes.push_back("whether the thread gets " + signal_name(number));
  }
  pthread_sigmask(SIG_SETMASK, &blocked_, nullptr);
  if (now.terminate_ != terminate_) {
    changes.emplace_back("std::terminate's handler");
    std::set_terminate(terminate_);
  }
  if (now.out_of_memory_ != out_of_memory_) {
    changes.emplace_back("operator new's handler");
    std::set_new_handler(out_of_memory_);
  }
}

}  // namespace retort::host
