#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/diagnostics.hpp"
#include "framework/config/node.hpp"

namespace retort::host::config {

/// Which numbers are accepted.
struct Range {
  std::optional<double> min;
  std::optional<double> max;
  bool min_open = false;  // the bound itself is not accepted
  bool max_open = false;

  static Range any() { return {}; }
  static Range above(double min) { return {min, std::nullopt, true, false}; }
  static Range at_least(double min) { return {min, std::nullopt, false, false}; }
  static Range between(double min, double max) { return {min, max, false, false}; }
  static Range above_up_to(double min, double max) { return {min, max, true, false}; }
  static Range below_one() { return {0.0, 1.0, false, true}; }

  bool holds(double value) const;
};

/// "> 0", ">= 0 and < 1"; "" for any number.
std::string describe(const Range& range);

/// The readers of single values. Each stores the value and returns true, or adds a mistake that
/// names the path. The hint is appended to a mistake: " (default 4)".
bool read_integer(const Node& node, const std::string& path, const Range& range, int64_t& value,
                  const std::string& hint, Diagnostics& diagnostics);
bool read_real(const Node& node, const std::string& path, const Range& range, double& value,
               const std::string& hint, Diagnostics& diagnostics);
bool read_boolean(const Node& node, const std::string& path, bool& value, const std::string& hint,
                  Diagnostics& diagnostics);
bool read_text(const Node& node, const std::string& path, std::string& value,
               const std::string& hint, Diagnostics& diagnostics);
bool read_choice(const Node& node, const std::string& path, const std::vector<std::string>& choices,
                 int64_t& position, const std::string& hint, Diagnostics& diagnostics);

/// Adds the mistake "must be WANTED, not text".
void refuse_type(const Node& node, const std::string& path, const std::string& wanted,
                 const std::string& hint, Diagnostics& diagnostics);

/// Whether a name can be part of a file name and of a metric's name; adds a mistake otherwise.
bool check_name(const Node& node, const std::string& path, Diagnostics& diagnostics);

/// The path of a list's entry: "data.augment[1]".
std::string entry_path(const std::string& path, size_t position);

}  // namespace retort::host::config
