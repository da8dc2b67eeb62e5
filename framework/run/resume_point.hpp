#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "framework/report/run_folder.hpp"
#include "framework/run/phases.hpp"
#include "framework/run/run_experiment.hpp"
#include "framework/run/run_states.hpp"

namespace retort::host {

/// Where a run goes on: at its beginning, or at a saved state, within a phase or at the end of one.
class ResumePoint {
 public:
  /// The beginning.
  ResumePoint() = default;
  /// A state that was saved in the phase at `position`.
  ResumePoint(size_t position, CheckpointStore::Found found)
      : position_(position), found_(std::move(found)) {}

  /// Whether the phase had come to its end.
  bool is_behind(size_t position) const;
  /// Whether it had begun, and not come to its end.
  bool is_within(size_t position) const;
  /// The rows of the phases that had.
  std::vector<ComparisonRow> rows() const;
  /// Lets a phase that had begun go on where it was, and lets go of the state's tensors.
  void restore(size_t position, Loop& loop);

 private:
  size_t position_ = 0;
  std::optional<CheckpointStore::Found> found_;
};

/// Finds where the run in a folder goes on: its newest state that verifies. Takes back what it wrote to
/// metrics.jsonl since.
/// Throws: ConfigError naming what differs and decides about bits, unless that is accepted; DataError
/// where no state is whole, or fits the phases.
ResumePoint find_resume_point(const Experiment& experiment, RunFolder& folder, RunStates& states,
                              const std::vector<PhaseSpec>& phases, Changes changes);

}  // namespace retort::host
