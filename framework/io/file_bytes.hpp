#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace retort::host {

/// The content of a file, held as a private memory mapping: a plain file is not copied, an inflated
/// one lies in pages of its own. The bytes stay put when the object is moved.
///
/// A mapped file must not be shortened while it is in use: the host replaces files by rename.
/// Threads: the bytes are read-only and may be shared.
class FileBytes {
 public:
  FileBytes() = default;
  FileBytes(FileBytes&& other) noexcept;
  FileBytes& operator=(FileBytes&& other) noexcept;
  ~FileBytes();

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  friend class MappingBuilder;
  FileBytes(uint8_t* data, size_t size, size_t mapped)
      : data_(data), size_(size), mapped_(mapped) {}

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t mapped_ = 0;  // length of the mapping that starts at data_
};

/// Whether a file may be a link to another. Not in a run folder that came from somebody else: what it
/// names would end up in tables and pages.
enum class Links { Follow, Refuse };

/// Maps a file as it is.
/// Throws: DataError when it cannot be opened, is no plain file, or is larger than max_bytes.
FileBytes map_file(const std::filesystem::path& path, size_t max_bytes,
                   Links links = Links::Follow);

/// Reads a whole file; one that starts with gzip's magic number is inflated, whatever its name.
/// Memory grows with what was really inflated, in fixed steps, never with what the file claims.
/// Throws: DataError as map_file; also when the gzip data is cut off, damaged, or followed by
///         something else, with the offset, and when it inflates to more than max_bytes.
FileBytes read_file(const std::filesystem::path& path, size_t max_bytes);

/// Reads the first `count` bytes of a file, or all of one that has fewer. A gzip file is inflated that
/// far and no further, so that a header is known before memory is given to what it announces.
/// Throws: DataError as read_file, but for the size and for damage behind the bytes asked for.
FileBytes read_head(const std::filesystem::path& path, size_t count);

}  // namespace retort::host
