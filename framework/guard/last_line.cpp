#include "framework/guard/last_line.hpp"

#include <unistd.h>

#include <ctime>

#include "framework/guard/fixed_text.hpp"
#include "framework/guard/write_text.hpp"

namespace retort::host {

void write_last_line(const LastWords& words, const char* level, const char* message) {
  FixedText line;
  if (words.as_json) {
    timespec now = {};
    clock_gettime(CLOCK_REALTIME, &now);
    line.append("{\"time\":").append_number(now.tv_sec).append(".");
    line.append_number(now.tv_nsec / 1000, 6).append(",\"level\":\"").append(level);
    line.append("\",\"message\":\"").append(message).append("\"}");
  } else {
    if (isatty(STDERR_FILENO) != 0) line.append("\r\x1b[K");  // over a line of progress
    line.append(message);
  }
  line.append("\n");
  write_text(STDERR_FILENO, {line.c_str(), line.size()});
}

}  // namespace retort::host
