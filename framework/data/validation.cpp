#include "framework/data/validation.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/error.hpp"
#include "framework/base/random.hpp"

namespace retort::host {
namespace {

/// How many samples each class gives: its share rounded down, and one more for the classes that
/// lost most by the rounding, until they add up to `total`.
std::vector<int64_t> quotas(const std::vector<std::vector<int64_t>>& classes, double share,
                            int64_t total) {
  std::vector<int64_t> quota(classes.size());
  std::vector<double> lost(classes.size());
  for (size_t c = 0; c < classes.size(); ++c) {
    const double wanted = share * static_cast<double>(classes[c].size());
    quota[c] = static_cast<int64_t>(wanted);
    lost[c] = wanted - static_cast<double>(quota[c]);
  }
  std::vector<size_t> order(classes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lost[a] > lost[b]; });
  int64_t left = total - std::accumulate(quota.begin(), quota.end(), int64_t{0});
  for (const size_t c : order) {
    if (left <= 0) break;
    if (quota[c] < static_cast<int64_t>(classes[c].size())) ++quota[c], --left;
  }
  return quota;
}

}  // namespace

std::vector<int64_t> hold_out(std::span<const int64_t> labels, int64_t class_count, double share) {
  const auto count = static_cast<int64_t>(labels.size());
  const int64_t total = std::llround(share * static_cast<double>(count));
  if (total < 1 || total >= count) {
    throw ConfigError("data.validation = " + fmt::format("{}", share) + " holds out " +
                      std::to_string(total) + " of " + std::to_string(count) +
                      " training samples; it must hold out at least one and leave at least one");
  }
  std::vector<std::vector<int64_t>> classes(static_cast<size_t>(class_count));
  for (int64_t i = 0; i < count; ++i) {
    classes[static_cast<size_t>(labels[static_cast<size_t>(i)])].push_back(i);
  }
  const std::vector<int64_t> quota = quotas(classes, share, total);
  std::vector<int64_t> held;
  for (size_t c = 0; c < classes.size(); ++c) {
    std::vector<int64_t> order(classes[c].size());
    Philox(combine_key(0, "validation", c)).permutation(order.data(), std::ssize(order));
    for (int64_t i = 0; i < quota[c]; ++i) {
      held.push_back(classes[c][static_cast<size_t>(order[static_cast<size_t>(i)])]);
    }
  }
  std::sort(held.begin(), held.end());
  return held;
}

}  // namespace retort::host
