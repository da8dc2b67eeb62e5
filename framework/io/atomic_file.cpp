#include "framework/io/atomic_file.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

std::string random_suffix() {
  uint64_t number = 0;
  // 8 bytes are never cut short; on a kernel that has no entropy yet the name is only less random.
  if (getrandom(&number, sizeof number, 0) < 0) number = static_cast<uint64_t>(getpid());
  char text[32];
  std::snprintf(text, sizeof text, ".%016llx%s", static_cast<unsigned long long>(number),
                kTemporaryEnding);
  return text;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

const char* remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another folder";
    case EFBIG:
      return "raise the file-size limit (ulimit -f)";
    case ENOENT:
      return "make the folder first";
    case EEXIST:
    case ENOTDIR:
      return "choose a path that does not lead through a file";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder that this user may write to";
    default:
      return "check the disk and the folder";
  }
}

[[noreturn]] void fail_at(const std::filesystem::path& path, const char* action) {
  const int error = errno;
  throw EnvironmentError(path.string() + ": cannot " + action + " it: " + std::strerror(error) +
                         "; " + remedy(error));
}

/// False, with errno set, when not all of it could be written.
bool write_all(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

/// Closes a descriptor and leaves errno as it is.
void close_quietly(int fd) {
  const int error = errno;
  close(fd);
  errno = error;
}

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path)
    : path_(path), temporary_(path.string() + random_suffix()) {
  fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) fail("create");
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const uint8_t> bytes) {
  if (!write_all(fd_, bytes)) fail("write");
}

void AtomicFile::write(std::string_view text) {
  write({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void AtomicFile::commit() {
  if (fsync(fd_) != 0) fail("flush");
  const int fd = std::exchange(fd_, -1);
  if (close(fd) != 0) fail("close");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename");
  temporary_.clear();

  flush_folder(folder_of(path_));
  spdlog::debug("wrote {}", path_.string());
}

void AtomicFile::fail(const char* action) const { fail_at(path_, action); }

void atomic_write(const std::filesystem::path& path, std::span<const uint8_t> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void atomic_write(const std::filesystem::path& path, std::string_view text) {
  atomic_write(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

int open_to_write(const std::filesystem::path& path, int flags) {
  // Not blocking, so that a named pipe is refused instead of waited for.
  const int fd = open(path.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  struct stat info {};
  const bool plain = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  if (plain) return fd;
  if (fd >= 0) close(fd);
  if (fd < 0 && errno != ELOOP && errno != ENXIO && errno != EISDIR) fail_at(path, "open");
  throw DataError(path.string() +
                  ": is a link, a folder, a pipe or a device, and nothing is written through it; a "
                  "run makes a plain file there: remove it");
}

void append_line(const std::filesystem::path& path, const std::string& line) {
  const int fd = open_to_write(path, O_WRONLY | O_CREAT | O_APPEND);
  const off_t before = lseek(fd, 0, SEEK_END);
  const std::string whole = line + "\n";
  if (!write_all(fd, {reinterpret_cast<const uint8_t*>(whole.data()), whole.size()})) {
    const int error = errno;
    if (ftruncate(fd, before) != 0) spdlog::warn("{}: ends with a part of a line", path.string());
    errno = error;
    close_quietly(fd);
    fail_at(path, "append to");
  }
  if (fsync(fd) != 0) {
    close_quietly(fd);
    fail_at(path, "flush");
  }
  if (close(fd) != 0) fail_at(path, "close");
  if (before == 0) flush_folder(folder_of(path));  // it is new there
}

void make_folders(const std::filesystem::path& folder) {
  std::error_code none;
  if (std::filesystem::is_directory(folder, none)) return;
  const std::filesystem::path parent = folder_of(folder);
  make_folders(parent);
  if (mkdir(folder.c_str(), 0777) != 0) {
    // Another program may have made it just now; what is no folder stays an error.
    const int error = errno;
    if (error == EEXIST && std::filesystem::is_directory(folder, none)) return;
    errno = error;
    fail_at(folder, "create");
  }
  flush_folder(parent);
}

void flush_folder(const std::filesystem::path& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail_at(folder, "open");
  const int status = fsync(fd);
  close_quietly(fd);
  if (status != 0 && errno != EINVAL) fail_at(folder, "flush");  // EINVAL: no such operation here
}

}  // namespace retort::host
