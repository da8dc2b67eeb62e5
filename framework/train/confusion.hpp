#pragma once

#include <cstdint>

namespace retort::host {

/// How many samples the teacher and the student give these two classes. What never occurs has no
/// entry, so that a list of them is never longer than the test split.
struct ConfusionEntry {
  int64_t teacher = 0;
  int64_t student = 0;
  int64_t samples = 0;

  bool operator==(const ConfusionEntry&) const = default;
};

}  // namespace retort::host
