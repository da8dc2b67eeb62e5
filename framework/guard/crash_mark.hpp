#pragma once

#include <filesystem>
#include <string_view>

namespace retort::host {

/// While it lives, an end of the program that was not meant replaces a file as a whole: `before`, the
/// reason as the inside of a JSON string, `after`. One at a time; a text of more than 1 MiB is left
/// out.
class CrashMark {
 public:
  CrashMark(const std::filesystem::path& file, std::string_view before, std::string_view after);
  ~CrashMark();
  CrashMark(const CrashMark&) = delete;
  CrashMark& operator=(const CrashMark&) = delete;
};

struct LastWords;

/// Writes the mark, if one is set. For signal handlers: neither locks nor allocates.
void write_crash_mark(const LastWords& words, std::string_view reason_json);

}  // namespace retort::host
