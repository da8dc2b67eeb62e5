#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace retort::host {

/// While it lives, an open file of the host is put back where a plugin closed it or put another one in
/// its place. The file is opened a second time for that; a lock (flock) on it is held by both.
class HostFile {
 public:
  /// `name`: as in messages, "standard output". A file that is not open is left alone.
  HostFile(int file, std::string name);
  ~HostFile();
  HostFile(const HostFile&) = delete;
  HostFile& operator=(const HostFile&) = delete;

 private:
  friend std::vector<std::string> put_back_host_files();

  int file_;
  int copy_;
  std::string name_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// Opens a file a second time, under a high number: who closes files by their number begins at the low
/// ones. Returns -1 with errno where that cannot be.
int copy_file(int file);

/// Standard output and standard error become host files, until the process ends.
void keep_standard_streams();

/// Puts back what differs, and returns their names, with a reason where that failed. Threads: any.
std::vector<std::string> put_back_host_files();

}  // namespace retort::host
