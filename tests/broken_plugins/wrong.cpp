// A strategy, a model and a data set that do in one of their functions what a plugin must not do, as
// RETORT_TEST_WRONG says: "loss segv", or "loss@3 segv" in step 3 alone. Right without it.
#include <retort/dataset.hpp>
#include <retort/model.hpp>
#include <retort/strategy.hpp>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cfenv>
#include <clocale>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>

using namespace retort;

namespace {

volatile int* volatile nowhere = nullptr;

volatile bool endless = true;

int overflow(int depth) {
  volatile char frame[1024] = {};
  frame[depth % 1024] = 1;
  return endless ? overflow(depth + 1) + frame[0] : 0;
}

void fail() {
  if (endless) throw std::runtime_error("no \"way\" out");
}

void throw_in_noexcept() noexcept { fail(); }

void change_everything() {
  std::setlocale(LC_ALL, "C.UTF-8");
  if (chdir("/") != 0) throw Error("no root folder");
  umask(0);
  setenv("RETORT_TEST_LEFT", "1", 1);
  signal(SIGINT, SIG_IGN);
  signal(SIGSEGV, SIG_DFL);
}

void hang() {
  if (const char* sign = getenv("RETORT_TEST_HANGING")) close(creat(sign, 0600));
  for (;;) pause();
}

/// As one would who starts another program.
void change_files() {
  const int null = open("/dev/null", O_WRONLY);
  dup2(null, STDOUT_FILENO);
  for (int file = STDERR_FILENO + 1; file < 100; ++file) close(file);
}

void limit_memory() {
  rlimit limit = {};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = rlim_t{1} << 40;
  setrlimit(RLIMIT_AS, &limit);
}

void crash_unseen() {
  signal(SIGSEGV, SIG_DFL);
  *nowhere = 1;
}

void crash_later() {
  std::thread([] {
    usleep(50000);
    *nowhere = 1;
  }).detach();
}

/// As who copies a new version over a file that is in use.
void cut_own_file() {
  const char* file = getenv("RETORT_TEST_CUT");
  if (file == nullptr || truncate(file, 0) != 0) throw Error("no file to cut");
}

void do_wrong(const std::string& how) {
  if (how == "alarm") alarm(1);
  if (how == "timer") raise(SIGPROF);
  if (how == "print") printf("a plugin says this\n");
  if (how == "empty") throw std::runtime_error("");
  if (how == "cut") cut_own_file();
  if (how == "later") crash_later();
  if (how == "files") change_files();
  if (how == "limit") limit_memory();
  if (how == "unseen") crash_unseen();
  if (how == "exec") execl("/bin/true", "true", nullptr);
  if (how == "segv") *nowhere = 1;
  if (how == "ill") __builtin_trap();
  if (how == "fpe") raise(SIGFPE);
  if (how == "bus") raise(SIGBUS);
  if (how == "kill") raise(SIGKILL);
  if (how == "abort") abort();
  if (how == "overflow") overflow(0);
  if (how == "exit") exit(0);
  if (how == "_exit") _exit(0);
  if (how == "quick_exit") quick_exit(0);
  if (how == "exit_group") syscall(SYS_exit_group, 0);
  if (how == "noexcept") throw_in_noexcept();
  if (how == "thread_segv") std::thread([] { *nowhere = 1; }).join();
  if (how == "thread_throw") std::thread([] { throw std::runtime_error("lost"); }).join();
  if (how == "hang") hang();
  if (how == "deaf") {
    signal(SIGINT, SIG_IGN), signal(SIGTERM, SIG_IGN);
    hang();
  }
  if (how == "fork") fork();
  if (how == "round") std::fesetround(FE_UPWARD);
  if (how == "change") change_everything();
}

void go_wrong(const std::string& function, int64_t step = -1) {
  const char* text = getenv("RETORT_TEST_WRONG");
  const std::string wish = text == nullptr ? "" : text;
  const size_t space = wish.find(' ');
  const std::string where = wish.substr(0, space);
  if (where == function || where == function + "@" + std::to_string(step))
    do_wrong(wish.substr(space + 1));
}

class WrongStrategy final : public Strategy {
 public:
  struct Options {
  } options;
  WrongStrategy() { go_wrong("create"); }
  ~WrongStrategy() override { go_wrong("destroy"); }
  void setup(Setup&) override { go_wrong("setup"); }
  Tensor loss(const Step& step) override {
    if (std::fegetround() != FE_TONEAREST) throw Error("rounding was left as another call set it");
    go_wrong("loss", step.step);
    return mean(step.student.logits * step.student.logits);
  }
  void after_backward(const Step& step) override { go_wrong("after_backward", step.step); }
};

class WrongModel final : public Model {
 public:
  struct Options {
  } options;
  void build(const ModelBuild& build) override {
    go_wrong("build");
    classifier_ = nn::Linear(build.in("fc"), build.channels, build.class_count);
  }
  Tensor forward(const Tensor& x, const Taps& taps) override {
    go_wrong("forward");
    return classifier_(taps("pooled", global_avg_pool2d(x)));
  }

 private:
  nn::Linear classifier_;
};

class WrongData final : public Dataset {
 public:
  struct Options {
  } options;
  DatasetInfo open() override {
    go_wrong("open");
    DatasetInfo info;
    info.train_count = info.test_count = 64;
    info.channels = info.height = info.width = 4;
    info.class_count = 2;
    info.mean = info.stddev = {0.5, 0.5, 0.5, 0.5};
    return info;
  }
  void read(Split split, int64_t, int64_t count, uint8_t* pixels, int64_t* labels) override {
    go_wrong("read");
    const int64_t other = split == Split::Test ? 7 : 0;
    for (int64_t i = 0; i < count * 64; ++i) pixels[i] = static_cast<uint8_t>(i * 37 + other);
    for (int64_t i = 0; i < count; ++i) labels[i] = i % 2;
  }
};

}  // namespace

RETORT_PLUGIN(strategy<WrongStrategy>("test.wrong", "0.3.0", "Goes wrong on demand",
                                      teacher_free()),
              model<WrongModel>("test.wrong_model", "0.3.0", "Goes wrong on demand"),
              dataset<WrongData>("test.wrong_data", "0.3.0", "Goes wrong on demand"))
