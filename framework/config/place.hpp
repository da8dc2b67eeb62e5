#pragma once

#include <cstdint>
#include <string>

namespace retort::host {

/// Where a key or value stands, 1-based. Line 0: the file as a whole, or what came from the command
/// line, whose `file` is "command line: " and the override.
struct Place {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
};

}  // namespace retort::host
