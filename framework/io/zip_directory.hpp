#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace retort::host {

/// A file in a zip archive. `content` holds its bytes where they are stored uncompressed, as
/// torch.save stores them, and is empty where they are not.
struct ZipEntry {
  std::string_view name;
  std::span<const uint8_t> content;
  bool stored = false;  // uncompressed, and whole in the archive
  uint64_t record = 0;  // the position of its record in the directory
  uint64_t header = 0;  // that of the header before its content
};

/// Reads the central directory of a zip archive, 64-bit archives included. The views point into
/// `bytes`; every offset is checked against it.
/// Output:  at most the first 100,000 entries; nothing where the directory is missing, as in a file
///          that is cut off, or damaged.
std::optional<std::vector<ZipEntry>> read_zip_directory(std::span<const uint8_t> bytes);

}  // namespace retort::host
