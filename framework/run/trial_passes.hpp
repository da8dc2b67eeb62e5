#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/train/phase.hpp"

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

  /// What a transfer, by its position among them, is handed: the outputs of its student as leaves, of all
  /// others without gradients.
  StepView make_view(const StepView& common, size_t transfer) const;

 private:
  enum class Logits { All, Read };
  Outputs list(const Participant& learner, Logits logits) const;

  /// A participant and one of its views.
  struct Pass {
    const Participant* participant;
    const ParticipantView* view;
    std::vector<std::string> taps = {};  // of all transfers, one after the other
    bool reads_logits = false;           // whether any term does
    Outputs outputs = {};
  };
  /// Where the outputs lie that a transfer is handed.
  struct Slot {
    std::string as;
    size_t pass;
    size_t first, count;  // of its taps
  };

  size_t place_pass(const Participant& participant, const std::string& view);
  std::vector<Slot> place_slots(const Term& term);

  const Phase& phase_;
  std::vector<Pass> passes_;
  std::vector<std::vector<Slot>> slots_;  // by transfer
};

}  // namespace retort::host
