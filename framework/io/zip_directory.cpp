#include "framework/io/zip_directory.hpp"

#include <algorithm>

namespace retort::host {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr uint64_t kMostEntries = 100'000;
constexpr size_t kEndBytes = 22;  // the end record, without its comment
constexpr size_t kLongestComment = 65535;
constexpr size_t kEntryBytes = 46;  // an entry of the directory, without its name
constexpr size_t kLocalBytes = 30;  // the header before a file's content, without its name
constexpr uint32_t kEndMark = 0x06054b50;
constexpr uint32_t kEnd64Mark = 0x06064b50;
constexpr uint32_t kLocator64Mark = 0x07064b50;
constexpr uint32_t kEntryMark = 0x02014b50;
constexpr uint32_t kLocalMark = 0x04034b50;
constexpr uint16_t kExtra64 = 1;

/// The little-endian number of `count` bytes at an offset; 0 where the file has fewer.
uint64_t read_number(Bytes bytes, uint64_t at, size_t count) {
  if (at > bytes.size() || bytes.size() - at < count) return 0;
  uint64_t number = 0;
  for (size_t i = count; i-- > 0;) number = number << 8 | bytes[at + i];
  return number;
}

std::optional<size_t> find_end_record(Bytes bytes) {
  if (bytes.size() < kEndBytes) return std::nullopt;
  const size_t last = bytes.size() - kEndBytes;
  const size_t first = last - std::min(last, kLongestComment);
  for (size_t at = last + 1; at-- > first;) {
    if (read_number(bytes, at, 4) == kEndMark) return at;
  }
  return std::nullopt;
}

struct Directory {
  uint64_t offset = 0;
  uint64_t entries = 0;
};

Directory read_end_record(Bytes bytes, size_t end) {
  const Directory directory = {read_number(bytes, end + 16, 4), read_number(bytes, end + 10, 2)};
  const bool is_64 = directory.offset == UINT32_MAX || directory.entries == UINT16_MAX;
  if (!is_64 || end < 20 || read_number(bytes, end - 20, 4) != kLocator64Mark) return directory;
  const uint64_t end64 = read_number(bytes, end - 12, 8);
  if (read_number(bytes, end64, 4) != kEnd64Mark) return directory;
  return {read_number(bytes, end64 + 48, 8), read_number(bytes, end64 + 32, 8)};
}

/// The sizes and the header of an entry. Those of more than 32 bits stand in an extra field, each
/// only where the record's own is full.
struct Extent {
  uint64_t packed = 0;
  uint64_t size = 0;
  uint64_t header = 0;
};

Extent read_extent(Bytes bytes, uint64_t record) {
  Extent extent = {read_number(bytes, record + 20, 4), read_number(bytes, record + 24, 4),
                   read_number(bytes, record + 42, 4)};
  uint64_t at = record + kEntryBytes + read_number(bytes, record + 28, 2);
  const uint64_t end = at + read_number(bytes, record + 30, 2);
  while (at + 4 <= end) {
    const uint64_t length = read_number(bytes, at + 2, 2);
    uint64_t field = at + 4;
    const uint64_t field_end = std::min(field + length, end);
    if (read_number(bytes, at, 2) == kExtra64) {
      for (uint64_t* number : {&extent.size, &extent.packed, &extent.header}) {
        if (*number != UINT32_MAX || field + 8 > field_end) continue;
        *number = read_number(bytes, field, 8);
        field += 8;
      }
    }
    at += 4 + length;
  }
  return extent;
}

/// Fills in the content of an entry that is stored as it is and whose header and sizes lie in the
/// file.
void find_content(Bytes bytes, ZipEntry& entry) {
  const bool plain = read_number(bytes, entry.record + 10, 2) == 0;
  const Extent extent = read_extent(bytes, entry.record);
  entry.header = extent.header;
  if (!plain || extent.packed != extent.size || read_number(bytes, extent.header, 4) != kLocalMark)
    return;
  const uint64_t first = extent.header + kLocalBytes + read_number(bytes, extent.header + 26, 2) +
                         read_number(bytes, extent.header + 28, 2);
  if (first > bytes.size() || extent.size > bytes.size() - first) return;
  entry.content = bytes.subspan(first, extent.size);
  entry.stored = true;
}

}  // namespace

std::optional<std::vector<ZipEntry>> read_zip_directory(std::span<const uint8_t> bytes) {
  const std::optional<size_t> end = find_end_record(bytes);
  if (!end) return std::nullopt;
  const Directory directory = read_end_record(bytes, *end);
  std::vector<ZipEntry> entries;
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < std::min(directory.entries, kMostEntries); ++i) {
    const uint64_t name_bytes = read_number(bytes, at + 28, 2);
    if (read_number(bytes, at, 4) != kEntryMark || at + kEntryBytes + name_bytes > bytes.size()) {
      return std::nullopt;
    }
    const auto* name = reinterpret_cast<const char*>(bytes.data() + at + kEntryBytes);
    ZipEntry& entry = entries.emplace_back();
    entry.name = {name, name_bytes};
    entry.record = at;
    find_content(bytes, entry);
    at +=
        kEntryBytes + name_bytes + read_number(bytes, at + 30, 2) + read_number(bytes, at + 32, 2);
  }
  return entries;
}

}  // namespace retort::host
