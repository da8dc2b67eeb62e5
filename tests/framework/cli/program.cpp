#include "tests/framework/cli/program.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace retort::test {
namespace {

void redirect(const std::filesystem::path& file, int to) {
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || dup2(fd, to) < 0) _exit(126);
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments,
                 const std::vector<std::string>& before) {
  std::vector<char*> argv;
  for (const std::string& argument : before) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(const_cast<char*>(RETORT_PROGRAM));
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  child_ = fork();
  if (child_ == 0) {
    redirect(scratch_.path("out"), STDOUT_FILENO);
    redirect(scratch_.path("err"), STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
}

Program::~Program() {
  if (running()) {
    send(SIGKILL);
    wait();
  }
}

void Program::send(int signal) const { kill(child_, signal); }

bool Program::running() {
  if (!ended_) ended_ = waitpid(child_, &status_, WNOHANG) != 0;
  return !ended_;
}

Finished Program::wait() {
  if (!ended_) waitpid(child_, &status_, 0);
  ended_ = true;
  Finished finished;
  finished.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 1000 + WTERMSIG(status_);
  finished.out = content_of(scratch_.path("out"));
  finished.err = content_of(scratch_.path("err"));
  return finished;
}

std::filesystem::path tiny_experiment(const Scratch& scratch) {
  constexpr const char* kText = R"toml(name = "tiny"
seed = 3

[data]
dataset = "synthetic"
train = 128
test = 64
size = 8
batch_size = 32
augment = ["crop(1)", "flip"]

[teacher]
model = "convnet"

[student]
model = "convnet"
width = 0.5

[task]
weight = 0.5

[[transfer]]
strategy = "logits.kd"
weight = 0.5

[[transfer]]
strategy = "feature.fitnet"
weight = { from = 1, to = 0, epochs = [0, 1] }

[train]
epochs = 2
optimizer = { name = "sgd", lr = 0.05 }

[run]
device = "cpu"
threads = 1
)toml";
  return scratch.put("tiny.toml", kText + ("out = \"" + scratch.path("runs").string() + "\"\n"));
}

Finished run_tiny(const Scratch& scratch, std::vector<std::string> overrides) {
  overrides.insert(overrides.begin(), {"run", tiny_experiment(scratch).string()});
  return retort(overrides);
}

}  // namespace retort::test
