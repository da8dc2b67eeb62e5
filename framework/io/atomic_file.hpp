#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace retort::host {

/// How the name ends of a file that is not whole yet: one that is left over may be removed.
inline constexpr const char* kTemporaryEnding = ".tmp";

/// Replaces a file as a whole: readers, and a machine that loses power, see the old content or the
/// new one, never a part. The bytes go to "NAME.<16 hex digits>.tmp" in the same folder; commit()
/// flushes them to disk, renames, and flushes the folder. Without commit() nothing changes.
///
/// The process must ignore SIGXFSZ, or a file-size limit kills it before the error is reported.
/// Throws: EnvironmentError with the path and the system's reason; the old file is untouched.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const uint8_t> bytes);
  void write(std::string_view text);
  void commit();

 private:
  [[noreturn]] void fail(const char* action) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_ = -1;
};

/// Replaces the file's content by `bytes`; see AtomicFile.
void atomic_write(const std::filesystem::path& path, std::span<const uint8_t> bytes);
void atomic_write(const std::filesystem::path& path, std::string_view text);

/// Opens a plain file to write to it where it stands, never through a link and never a pipe or device:
/// a folder that came from somebody else may hold a link to anywhere.
/// Inputs: flags, as of open(2). The caller closes the descriptor.
/// Throws: DataError where it is a link or no plain file; EnvironmentError with the path and the
/// system's reason.
int open_to_write(const std::filesystem::path& path, int flags);

/// Appends one line, by one write, and flushes it to disk. One that does not fit is taken back, so
/// that the file holds whole lines.
/// Throws: as open_to_write; EnvironmentError where the disk refuses.
void append_line(const std::filesystem::path& path, const std::string& line);

/// Makes a folder and those above it that are missing. After a power loss they are still there, and
/// with them what is written into them.
/// Throws: EnvironmentError with the path and the system's reason.
void make_folders(const std::filesystem::path& folder);

/// Flushes the names in a folder to disk.
/// Throws: EnvironmentError with the path and the system's reason.
void flush_folder(const std::filesystem::path& folder);

}  // namespace retort::host
