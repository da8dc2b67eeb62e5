#include "framework/report/run_owner.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/io/atomic_file.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {
namespace {

/// Closes a file where what follows its opening fails.
class OpenFile {
 public:
  explicit OpenFile(int file) : file_(file) {}
  ~OpenFile() {
    if (file_ >= 0) close(file_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return file_; }
  int release() { return std::exchange(file_, -1); }

 private:
  int file_;
};

bool take_lock(int file) {
  for (int i = 0; i < 100; ++i) {
    if (flock(file, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) return false;
    usleep(10000);
  }
  return false;
}

std::string read_owner(int file) {
  char text[128] = {};
  const ssize_t size = pread(file, text, sizeof(text) - 1, 0);
  const std::string owner(text, static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return safe_line(owner.substr(0, owner.find('\n')));
}

/// Whether the file now names this process; errno tells why not.
bool write_owner(int file) {
  char host[64] = {}, text[128] = {};
  gethostname(host, sizeof(host) - 1);
  const int size = std::snprintf(text, sizeof(text), "process %d on %s\n", getpid(), host);
  return ftruncate(file, 0) == 0 && pwrite(file, text, static_cast<size_t>(size), 0) == size;
}

}  // namespace

RunOwner::RunOwner(const RunLayout& layout) {
  OpenFile file(open_to_write(layout.owner(), O_RDWR | O_CREAT));
  if (!take_lock(file.get())) {
    throw EnvironmentError(layout.folder().string() + ": another program is at work in it (" +
                           read_owner(file.get()) + "); wait for it, or stop it");
  }
  if (!write_owner(file.get())) {
    throw EnvironmentError(layout.owner().string() +
                           ": cannot be written: " + std::strerror(errno) + "; check the disk");
  }
  kept_ = std::make_unique<HostFile>(file.get(), "the lock of " + layout.folder().string());
  lock_ = file.release();
}

RunOwner::~RunOwner() { close(lock_); }

bool has_owner(const RunLayout& layout) {
  const OpenFile file(open(layout.owner().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file.get() >= 0 && flock(file.get(), LOCK_SH | LOCK_NB) != 0;
}

}  // namespace retort::host
