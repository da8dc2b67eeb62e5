#include "framework/guard/host_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

namespace retort::host {
namespace {

struct Registry {
  std::mutex mutex;
  std::vector<const HostFile*> files;
};
/// Never destroyed: standard streams are kept until the process ends.
Registry& registry() {
  static auto* all = new Registry;
  return *all;
}

bool is_file(int file, dev_t device, ino_t inode) {
  struct stat facts = {};
  return fstat(file, &facts) == 0 && facts.st_dev == device && facts.st_ino == inode;
}

}  // namespace

int copy_file(int file) {
  constexpr int kLowest = 512;
  const int copy = fcntl(file, F_DUPFD_CLOEXEC, kLowest);
  if (copy >= 0 || errno != EINVAL) return copy;
  return fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);  // fewer files are allowed
}

HostFile::HostFile(int file, std::string name)
    : file_(file), copy_(copy_file(file)), name_(std::move(name)) {
  struct stat facts = {};
  if (fstat(file, &facts) != 0) return;
  device_ = facts.st_dev;
  inode_ = facts.st_ino;
  const std::lock_guard lock(registry().mutex);
  registry().files.push_back(this);
}

HostFile::~HostFile() {
  const std::lock_guard lock(registry().mutex);
  std::erase(registry().files, this);
  if (copy_ >= 0 && is_file(copy_, device_, inode_)) close(copy_);
}

void keep_standard_streams() {
  static const auto* out = new HostFile(STDOUT_FILENO, "standard output");
  static const auto* error = new HostFile(STDERR_FILENO, "standard error");
  static_cast<void>(out), static_cast<void>(error);
}

std::vector<std::string> put_back_host_files() {
  const std::lock_guard lock(registry().mutex);
  std::vector<std::string> names;
  for (const HostFile* kept : registry().files) {
    if (is_file(kept->file_, kept->device_, kept->inode_)) continue;
    names.push_back(kept->name_);
    const int flags = kept->file_ > STDERR_FILENO ? O_CLOEXEC : 0;
    if (!is_file(kept->copy_, kept->device_, kept->inode_)) {
      names.back() += ", which cannot be put back: its copy was closed too";
    } else if (dup3(kept->copy_, kept->file_, flags) < 0) {
      names.back() += ", which cannot be put back: " + std::string(std::strerror(errno));
    }
  }
  return names;
}

}  // namespace retort::host
