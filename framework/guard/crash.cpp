// Signal handlers here neither lock nor allocate: what they write is made ready before, or put together
// in memory of their own.
#include "framework/guard/crash.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <iterator>

#include "framework/base/failure.hpp"
#include "framework/guard/crash_mark.hpp"
#include "framework/guard/fixed_text.hpp"
#include "framework/guard/last_line.hpp"
#include "framework/guard/last_words.hpp"
#include "framework/guard/plugin_code.hpp"
#include "framework/guard/running.hpp"

namespace retort::host {
namespace {

struct CrashSignal {
  int number;
  const char* text;
};
constexpr CrashSignal kCrashSignals[] = {{SIGSEGV, "Segmentation fault (SIGSEGV)"},
                                         {SIGBUS, "Bus error (SIGBUS)"},
                                         {SIGFPE, "Arithmetic error (SIGFPE)"},
                                         {SIGILL, "Illegal instruction (SIGILL)"},
                                         {SIGABRT, "Aborted (SIGABRT)"},
                                         {SIGTRAP, "Trap (SIGTRAP)"},
                                         {SIGSYS, "Bad system call (SIGSYS)"}};
constexpr const char* kCrashRemedy =
    "; build it with -g and run retort-main under gdb to see the line";
constexpr const char* kChangedRemedy =
    "; start again, and install a plugin's new version by renaming it into place (mv), not by "
    "writing into the file (cp)";
constexpr const char* kExitRemedy = "; a plugin throws to report a failure, and returns otherwise";

struct sigaction previous[std::size(kCrashSignals)];
std::atomic<pid_t> process = 0;  // that installed the handlers
std::atomic<pid_t> teller = 0;   // the thread that tells
std::atomic<bool> end_expected = false;

pid_t thread_id() { return static_cast<pid_t>(syscall(SYS_gettid)); }

/// An end that was not meant: "crashed", "Segmentation fault (SIGSEGV)", what to do.
struct Ending {
  const char* verb;
  const char* reason;
  const char* reason_json;  // as it stands in a JSON string
  const char* remedy;
  const PluginCode* code = nullptr;  // the file that holds the instruction that failed
};

const char* name_text(const RunningCall& call, bool json) {
  return (json ? call.plugin->name.json : call.plugin->name.text).c_str();
}

/// "code of plugins/mine.retort crashed on a thread of its own": where this thread is in no plugin's
/// function.
void append_who(FixedText& text, const Ending& ending, bool json) {
  const bool is_main = thread_id() == process;
  if (ending.code != nullptr) {
    const SafeText& file = ending.code->name;
    text.append("code of ").append((json ? file.json : file.text).c_str()).append(" ");
    text.append(ending.verb).append(is_main ? "" : " on a thread of its own");
  } else {
    text.append(is_main ? "Retort itself or LibTorch "
                        : "a thread that is in no plugin's function ");
    text.append(ending.verb);
  }
}

/// Without the remedy.
void append_sentence(FixedText& text, const Ending& ending, bool json) {
  const LatestCall latest = latest_call();
  if (const RunningCall* here = running_call(); here != nullptr) {
    text.append(name_text(*here, json)).append(" ").append(ending.verb).append(" in ");
    append_where(text, *here);
  } else {
    append_who(text, ending, json);
    if (activity()[0] != '\0') text.append(" in ").append(activity());
    if (latest.call.plugin != nullptr) {
      text.append(latest.running ? " while " : " after ").append(name_text(latest.call, json));
      text.append(latest.running ? " was in " : ", ");
      append_where(text, latest.call);
    }
  }
  text.append(": ").append(json ? ending.reason_json : ending.reason);
}

void write_line(const Ending& ending) {
  FixedText message;
  append_sentence(message, ending, last_words().as_json);
  message.append(ending.remedy);
  write_last_line(last_words(), "error", message.c_str());
}

/// Writes the CrashMark.
void write_mark(const Ending& ending) {
  FixedText reason;
  append_sentence(reason, ending, true);
  write_crash_mark(last_words(), {reason.c_str(), reason.size()});
}

/// Tells it once in a process. Another thread that comes meanwhile waits for the end.
void tell(const Ending& ending) {
  if (getpid() != process) return;
  const pid_t self = thread_id();
  pid_t nobody = 0;
  if (!teller.compare_exchange_strong(nobody, self)) {
    constexpr timespec kTenMilliseconds = {0, 10000000};
    for (int i = 0; i < 100 && nobody != self && !last_words().told; ++i)
      nanosleep(&kTenMilliseconds, nullptr);
    return;
  }
  write_line(ending);
  write_mark(ending);
  last_words().told = true;
}

/// What the processor was at; 0 where that is not known.
struct MachineState {
  uintptr_t instruction = 0;
  uintptr_t stack = 0;
};

MachineState machine_state([[maybe_unused]] const void* context) {
  MachineState state;
  [[maybe_unused]] const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  state.instruction = static_cast<uintptr_t>(machine.gregs[REG_RIP]);
  state.stack = static_cast<uintptr_t>(machine.gregs[REG_RSP]);
#elif defined(__aarch64__)
  state.instruction = static_cast<uintptr_t>(machine.pc);
  state.stack = static_cast<uintptr_t>(machine.sp);
#endif
  return state;
}

/// Whether the fault's address is where the stack ends.
bool is_stack_overflow(const siginfo_t& info, uintptr_t stack) {
  if (info.si_signo != SIGSEGV || info.si_code <= 0 || stack == 0) return false;
  constexpr uintptr_t kNear = 1 << 16;
  const auto address = reinterpret_cast<uintptr_t>(info.si_addr);
  return address + kNear > stack && address < stack + kNear;
}

/// Whether an instruction failed, which would fail again.
bool is_fault(const siginfo_t& info) {
  const int number = info.si_signo;
  return info.si_code > 0 &&
         (number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL);
}

/// The plugin whose file was written to while it was loaded, where that can have caused the fault.
const PluginCode* changed_code(const siginfo_t& info) {
  if (!is_fault(info)) return nullptr;
  // Behind the end of a file that was cut there is no memory.
  const auto address = reinterpret_cast<uintptr_t>(info.si_addr);
  const PluginCode* cut = info.si_signo == SIGBUS ? plugin_code_at(address) : nullptr;
  return cut != nullptr ? cut : changed_plugin_code();
}

void tell_crash(const siginfo_t& info, const void* context, const char* signal) {
  const MachineState machine = machine_state(context);
  FixedText reason, reason_json;
  Ending ending = {"crashed", "", "", kCrashRemedy, plugin_code_at(machine.instruction)};
  for (FixedText* text : {&reason, &reason_json}) {
    text->append(signal);
    if (is_stack_overflow(info, machine.stack)) {
      text->append(", the stack is full: it calls itself without end, or has a large array on it");
    } else if (const PluginCode* changed = changed_code(info); changed != nullptr) {
      const SafeText& file = changed->name;
      text->append(", ").append((text == &reason ? file.text : file.json).c_str());
      text->append(" was changed or cut while the program ran");
      ending.remedy = kChangedRemedy;
    } else if (is_fault(info)) {
      text->append(" at address ").append_address(reinterpret_cast<uintptr_t>(info.si_addr));
    }
  }
  ending.reason = reason.c_str();
  ending.reason_json = reason_json.c_str();
  tell(ending);
}

void on_crash(int number, siginfo_t* info, void* context) {
  const auto* found =
      std::find_if(std::begin(kCrashSignals), std::end(kCrashSignals),
                   [&](const CrashSignal& known) { return known.number == number; });
  tell_crash(*info, context, found->text);
  // A handler of before, such as AddressSanitizer's, sees the same fault again; else the process
  // dies by the signal as soon as this one returns, with the stack of the fault.
  const struct sigaction& before = previous[found - std::begin(kCrashSignals)];
  const bool has_handler = before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN;
  if (has_handler) {
    sigaction(number, &before, nullptr);
    if (!is_fault(*info)) raise(number);
    return;
  }
  struct sigaction deadly = {};
  deadly.sa_handler = SIG_DFL;
  sigaction(number, &deadly, nullptr);
  raise(number);
}

void tell_exit(const char* verb, int code) {
  FixedText reason;
  reason.append("code ").append_number(code);
  tell({verb, reason.c_str(), reason.c_str(), kExitRemedy});
}

void on_exit_call(int code, void*) {
  if (end_expected || getpid() != process) return;
  tell_exit("called exit()", code);
  end_process(1);
}

void on_quick_exit() { on_exit_call(0, nullptr); }

/// The first line of what was thrown; LibTorch's errors have a back trace behind it.
std::string thrown_text() {
  try {
    if (!std::current_exception()) return "nothing was thrown";
    throw;
  } catch (const std::exception& error) {
    const std::string text = said_by(error);
    return text.substr(0, std::min(text.find('\n'), size_t{500}));
  } catch (...) {
    return "something that is no std::exception";
  }
}

[[noreturn]] void on_terminate() {
  const SafeText thrown = make_safe(thrown_text());
  tell({"threw where nothing can catch it (std::terminate)", thrown.text.c_str(),
        thrown.json.c_str(), "; catch it, or throw on the thread that the host called"});
  std::abort();
}

}  // namespace

void install_crash_handlers() {
  static const AlternateStack stack;
  process = getpid();
  for (size_t i = 0; i < std::size(kCrashSignals); ++i) {
    struct sigaction action = {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(kCrashSignals[i].number, &action, &previous[i]);
  }
  std::set_terminate(on_terminate);
  on_exit(on_exit_call, nullptr);
  std::at_quick_exit(on_quick_exit);
}

void tell_crashes_as_json() { last_words().as_json = true; }

AlternateStack::AlternateStack() {
  const size_t size = std::max<size_t>(static_cast<size_t>(SIGSTKSZ) * 4, 64 << 10);
  memory_ = std::make_unique<char[]>(size);
  stack_t stack = {};
  stack.ss_sp = memory_.get();
  stack.ss_size = size;
  sigaltstack(&stack, nullptr);
}

AlternateStack::~AlternateStack() {
  stack_t none = {};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
}

void tell_running_call(const char* reason) {
  if (running_call() != nullptr) write_line({"was", reason, reason, ""});
}

void expect_end() { end_expected = true; }

void end_process(int code) {
  end_expected = true;
  note_answer();
  _exit(code);
}

}  // namespace retort::host
