// The program `retort`: sets what LibTorch's OpenMP and glibc's malloc read before main, and runs
// `retort-main` beside it as a child, so that every end of it is told. A user who has set a variable
// keeps it. Setting these from inside would need LibTorch's own start of 0.25 s twice.
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "framework/guard/launch.hpp"

int main(int, char** argv) {
  char self[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  if (length <= 0 || length >= static_cast<ssize_t>(sizeof(self))) {
    std::perror("retort: /proc/self/exe");
    return 5;
  }
  // Threads that wait for work by spinning take the cores from everyone else: 25 times slower
  // beside another program.
  const char* policy = std::getenv("OMP_WAIT_POLICY");
  if (policy == nullptr || *policy == '\0') setenv("OMP_WAIT_POLICY", "PASSIVE", 1);
  return retort::host::launch(std::string(self, static_cast<size_t>(length)) + "-main", argv);
}
