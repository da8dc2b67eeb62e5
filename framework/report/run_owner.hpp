#pragma once

#include <memory>

#include "framework/guard/host_files.hpp"
#include "framework/report/run_layout.hpp"

namespace retort::host {

/// Owns a run folder while it lives: the lock of its file `owner`, which the system drops when this
/// process ends, however it ends. The file says which process it is.
class RunOwner {
 public:
  /// Waits a moment for one who holds it: a program that was killed may still be on its way out.
  /// Throws: EnvironmentError naming the program that is at work, or where the file cannot be written;
  /// DataError where it is a link.
  explicit RunOwner(const RunLayout& layout);
  ~RunOwner();
  RunOwner(const RunOwner&) = delete;
  RunOwner& operator=(const RunOwner&) = delete;

 private:
  int lock_ = -1;
  std::unique_ptr<HostFile> kept_;
};

/// Whether a program is at work in the folder, which may be somebody else's: no link is followed, and no
/// pipe waited for.
bool has_owner(const RunLayout& layout);

}  // namespace retort::host
