#pragma once

#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace retort::host {

/// Writes a whole text, and returns whether it could. For signal handlers; errno is the caller's
/// business.
inline bool write_text(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace retort::host
