#pragma once

#include <string>
#include <vector>

#include "framework/report/comparison.hpp"
#include "framework/run/phases.hpp"
#include "framework/train/network.hpp"
#include "framework/train/training_state.hpp"

namespace retort::host {

/// The table of a run: a row for each network, in the order of the phases, and what is surprising about
/// them.
struct ResultTable {
  std::vector<ComparisonRow> rows;
  std::vector<std::string> warnings;

  /// Adds what a phase made of one of its learners, and what it gained over the same network alone.
  void add(const PhaseSpec& spec, const LearnerSpec& learner, Network& network,
           const Standing& standing, double train_seconds);
  /// Adds a teacher that was not trained in this run, at that position.
  void add_teacher(Network& teacher, const Accuracy& accuracy, size_t position);
  /// Tells a warning once, and keeps it for run.json. "" is none.
  void warn(const std::string& text);
};

/// The row of that name, or null.
const ComparisonRow* find_row(const std::vector<ComparisonRow>& rows, const std::string& name);

/// What a network costs, by a pass of one image.
NetworkSize measure_size(Network& network);

}  // namespace retort::host
