#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace retort::host {

/// Mean and standard deviation (n - 1) over the seeds of one experiment.
struct Spread {
  double mean = 0;
  double std = 0;  // 0 for one value
  size_t count = 0;
};
Spread make_spread(const std::vector<double>& values);

/// The two-sided p of Student's paired t test of the differences; nothing for fewer than three, or
/// where all are equal.
std::optional<double> find_paired_p(const std::vector<double>& differences);

}  // namespace retort::host
