#include "framework/guard/own_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "framework/guard/host_files.hpp"

namespace retort::host {
namespace {

/// Where results go.
struct Results {
  std::FILE* file = stdout;  // null where there is none that can be written
  bool lost = false;         // there was no file for some of them
};
Results results;

/// Leads descriptor 1 to standard error, or nowhere where that is closed: a file that is opened later
/// must not get its number.
void lead_to_standard_error() {
  if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) return;
  int null = open("/dev/null", O_WRONLY);
  while (null >= 0 && null <= STDERR_FILENO) null = open("/dev/null", O_WRONLY);  // fills 0, 1, 2
  if (null < 0) return;
  dup2(STDERR_FILENO, STDOUT_FILENO);
  close(null);
}

}  // namespace

void take_standard_output() {
  const int own = copy_file(STDOUT_FILENO);
  const bool closed = own < 0 && errno == EBADF;
  if (own < 0 && !closed) return;
  results.file = closed ? nullptr : fdopen(own, "w");
  if (results.file != nullptr) {
    static const auto* kept = new HostFile(own, "the program's copy of standard output");
    static_cast<void>(kept);
  }
  lead_to_standard_error();
  // Whole lines, in the order of those of the log; and none is lost where the process ends.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

void write_output(std::string_view text) {
  if (results.file == nullptr) {
    results.lost = results.lost || !text.empty();
  } else {
    std::fwrite(text.data(), 1, text.size(), results.file);
  }
}

bool finish_output() {
  std::fflush(stdout);  // of plugins
  if (results.file == nullptr) return !results.lost;
  return std::fflush(results.file) == 0 && std::ferror(results.file) == 0;
}

}  // namespace retort::host
