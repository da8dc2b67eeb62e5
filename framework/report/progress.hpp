#pragma once

#include <string>

#include "framework/train/trainer.hpp"

namespace retort::host {

/// Shows training on stderr: one line that moves on a terminal; elsewhere a line an epoch, without
/// colour or carriage returns.
class ProgressLine {
 public:
  ProgressLine();
  void step(const Progress& progress);
  void epoch(const std::string& phase, int64_t epochs, const EpochReport& report);

 private:
  bool terminal_;
  double last_shown_ = 0;
  bool shown_ = false;
};

}  // namespace retort::host
