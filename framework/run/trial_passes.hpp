#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/train/passes.hpp"

namespace retort::host {

/// What the participants of a phase make of its first batch, once for all terms that are tried on it.
class TrialPasses {
 public:
  /// The phase, whose transfers are set up, must outlive it.
  explicit TrialPasses(const Phase& phase);

  /// Runs every pass, and fills in the step's batch and progress.
  void run(StepView& step);

  /// What a learner gave, over all its views, and of that what the terms read.
  Outputs list_given(const Participant& learner) const;
  Outputs list_read(const Participant& learner) const;

  /// What a transfer, by its position among them, is handed, the outputs of its student as leaves.
  StepView make_view(const StepView& common, size_t transfer) const;

 private:
  enum class Logits { All, Read };
  Outputs list(const Participant& learner, Logits logits) const;

  const Phase& phase_;
  Passes passes_;
  std::vector<Outputs> outputs_;   // by pass
  std::vector<size_t> transfers_;  // their positions among the terms
};

}  // namespace retort::host
