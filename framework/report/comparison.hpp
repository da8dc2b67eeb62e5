#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/train/evaluate.hpp"

namespace retort::host {

/// What a network costs.
struct NetworkSize {
  int64_t parameters = 0;
  int64_t multiply_adds = 0;  // of one image
};

/// One line of the table at the end of a run.
struct ComparisonRow {
  std::string name;
  Accuracy accuracy;                   // of the last epoch, on the test split
  std::optional<double> versus_alone;  // percentage points of top-1
  std::optional<double>
      train_seconds;  // without evaluation; nothing for a network that was not trained now
  std::optional<Accuracy> best;  // of the best epoch, on the test split too
  int64_t best_epoch = 0;        // 1-based
  std::optional<Evaluation> evaluation = {};
  std::optional<NetworkSize> size = {};  // nothing where an older version saved the row
  // The rows that it is measured against, by name; "": none, and a row without a teacher is one.
  std::string alone = {}, teacher = {};
};

/// A row whose references are the usual ones of its name.
ComparisonRow make_row(std::string name);

/// The table in aligned columns, for people.
std::string comparison_text(const std::vector<ComparisonRow>& rows);
/// The same as CSV with a header line, for programs.
std::string comparison_csv(const std::vector<ComparisonRow>& rows);

}  // namespace retort::host
