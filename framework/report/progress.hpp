#pragma once

#include <string>

#include "framework/train/loop.hpp"

namespace retort::host {

/// What is shown of a step, in at most `width` columns: a bar, images/s and each loss term, of which
/// the bar goes first where it is too much. Width 0: as long as it gets, without a bar.
std::string progress_text(const Progress& progress, size_t width);

/// What is shown of an epoch: "top-1 61.20 %", or "top-1 a 61.20 %, b 60.10 %" where several learn.
std::string epoch_text(const std::string& phase, int64_t epochs, const EpochReport& report);

/// Shows training on stderr: one line as wide as the terminal that moves; elsewhere a plain line
/// every few seconds and each epoch, without colour or carriage returns. Silent where the log's
/// level is above info (-q).
class ProgressLine {
 public:
  ProgressLine();
  void step(const Progress& progress);
  void epoch(const std::string& phase, int64_t epochs, const EpochReport& report);

 private:
  bool terminal_;
  double last_shown_;
  bool shown_ = false;
};

}  // namespace retort::host
