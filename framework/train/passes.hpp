#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/data/loader.hpp"
#include "framework/train/phase.hpp"
#include "framework/train/step_view.hpp"

namespace retort::host {

/// A pass of a participant over one of its views, and what the terms want of it.
struct Pass {
  const Participant* participant;
  const ParticipantView* view;
  std::vector<std::string> taps = {};  // of all terms, each once
  bool reads_logits = false;           // whether any term does

  SeenField seen() const;
};

/// The passes that the steps of a phase may need: one over the first view of each who learns, and one
/// over each view that a term compares. Made once, so that no step looks up names.
class Passes {
 public:
  /// The phase, whose transfers are set up where taps matter, must outlive it.
  explicit Passes(const Phase& phase);

  const std::vector<Pass>& all() const { return all_; }
  /// The positions of those that a term is handed.
  std::vector<size_t> find_wanted(size_t term) const;
  /// What a term is handed of the outputs of all passes: those of its own learner as they are, those of
  /// others who learn without gradients, and the labels of the view that it compares.
  StepView make_view(const StepView& common, const std::vector<Outputs>& outputs,
                     size_t term) const;

 private:
  struct Slot {  // where the outputs lie that a term is handed
    std::string as;
    size_t pass;
    std::vector<size_t> features;  // positions among the pass's taps
    bool detached;
  };

  size_t place(const Participant& participant, const ParticipantView& view);
  std::vector<Slot> place_slots(const Phase& phase, const Term& term);

  std::vector<Pass> all_;
  std::vector<std::vector<Slot>> slots_;  // by term
};

/// The fields of the phase's batches: those that its passes read.
std::vector<View> make_views(const Phase& phase);

}  // namespace retort::host
