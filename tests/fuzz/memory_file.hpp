#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "tests/fuzz/targets.hpp"

namespace retort::fuzz {

/// A file that lies in memory alone, for readers that want a path.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("memfd_create failed");
  }
  explicit MemoryFile(Bytes content) : MemoryFile() { put(content); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(descriptor_); }

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  void put(Bytes content) {
    resize(0);
    write(0, content);
  }
  /// What a larger file gains is zero.
  void resize(size_t size) {
    if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
      throw std::runtime_error("ftruncate");
  }
  void write(size_t offset, Bytes content) {
    const ssize_t written =
        pwrite(descriptor_, content.data(), content.size(), static_cast<off_t>(offset));
    if (written != static_cast<ssize_t>(content.size())) throw std::runtime_error("pwrite");
  }

 private:
  int descriptor_;
};

}  // namespace retort::fuzz
