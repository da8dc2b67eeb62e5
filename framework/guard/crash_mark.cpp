#include "framework/guard/crash_mark.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "framework/guard/last_words.hpp"
#include "framework/guard/write_text.hpp"

namespace retort::host {

CrashMark::CrashMark(const std::filesystem::path& file, std::string_view before,
                     std::string_view after) {
  LastWords::Mark& mark = last_words().mark;
  mark.set = false;
  const std::string path = std::filesystem::absolute(file).string();
  if (path.size() >= sizeof mark.file || before.size() + after.size() > sizeof mark.text) return;
  std::memcpy(mark.file, path.c_str(), path.size() + 1);
  std::memcpy(mark.text, before.data(), before.size());
  std::memcpy(mark.text + before.size(), after.data(), after.size());
  mark.before = before.size();
  mark.size = before.size() + after.size();
  mark.set = true;
}

CrashMark::~CrashMark() { last_words().mark.set = false; }

void write_crash_mark(const LastWords& words, std::string_view reason_json) {
  const LastWords::Mark& mark = words.mark;
  if (!mark.set || mark.before > mark.size || mark.size > sizeof mark.text) return;
  constexpr char kEnding[] = ".crash.tmp";
  char temporary[sizeof mark.file + sizeof kEnding] = "";
  std::memcpy(temporary, mark.file, strnlen(mark.file, sizeof mark.file - 1));
  std::strcat(temporary, kEnding);
  const int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (file < 0) return;
  const bool whole = write_text(file, {mark.text, mark.before}) && write_text(file, reason_json) &&
                     write_text(file, {mark.text + mark.before, mark.size - mark.before}) &&
                     fsync(file) == 0;
  close(file);
  if (whole) rename(temporary, mark.file);
}

}  // namespace retort::host
