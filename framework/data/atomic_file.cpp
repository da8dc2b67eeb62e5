#include "framework/data/atomic_file.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "framework/error.hpp"

namespace retort::host {
namespace {

std::string random_suffix() {
  uint64_t number = 0;
  // 8 bytes are never cut short; on a kernel that has no entropy yet the name is only less random.
  if (getrandom(&number, sizeof number, 0) < 0) number = static_cast<uint64_t>(getpid());
  char text[32];
  std::snprintf(text, sizeof text, ".%016llx.tmp", static_cast<unsigned long long>(number));
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
    case ENOTDIR:
      return "make the folder first";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder that this user may write to";
    default:
      return "check the disk and the folder";
  }
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
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("write");
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
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

  const int folder = open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail("open the folder of");
  const int status = fsync(folder);
  const int error = errno;
  close(folder);
  errno = error;
  if (status != 0 && error != EINVAL)
    fail("flush the folder of");  // EINVAL: no such operation here
  spdlog::debug("wrote {}", path_.string());
}

void AtomicFile::fail(const char* action) const {
  const int error = errno;
  throw EnvironmentError(path_.string() + ": cannot " + action + " it: " + std::strerror(error) +
                         "; " + remedy(error));
}

void atomic_write(const std::filesystem::path& path, std::span<const uint8_t> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void atomic_write(const std::filesystem::path& path, std::string_view text) {
  atomic_write(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

}  // namespace retort::host
