#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/train/evaluate.hpp"

namespace retort::host {

/// One line of the table at the end of a run.
struct ComparisonRow {
  std::string name;
  Accuracy accuracy;
  std::optional<double> versus_alone;  // percentage points of top-1
  std::optional<double>
      train_seconds;  // without evaluation; nothing for a network that was not trained now
};

/// The table in aligned columns, for people.
std::string comparison_text(const std::vector<ComparisonRow>& rows);
/// The same as CSV with a header line, for programs.
std::string comparison_csv(const std::vector<ComparisonRow>& rows);

}  // namespace retort::host
