#pragma once

#include "framework/guard/last_words.hpp"

namespace retort::host {

/// Writes a line of the log on standard error, as an object where the log is JSON: `message` is then as
/// it stands inside a JSON string. For signal handlers: neither locks nor allocates.
void write_last_line(const LastWords& words, const char* level, const char* message);

}  // namespace retort::host
