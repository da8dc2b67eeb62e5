#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/data/mix.hpp"
#include "framework/data/sampler.hpp"
#include "framework/train/participant.hpp"
#include "framework/train/term.hpp"
#include "framework/train/transfer.hpp"

namespace retort::host {

/// Whether a part of a step is over when its work is on its way to the device, or when it is done there,
/// so that its time means something on a GPU.
enum class StepTiming { Queued, Done };

/// One training: who takes part, what is learnt from what, by which recipe. What is pointed to must
/// outlive it.
struct Phase {
  std::string name;  // "teacher", "alone", "distil"
  std::vector<Participant> participants;
  std::vector<std::shared_ptr<Term>> terms;  // the task's first, then transfers in the file's order
  TrainConfig train;
  const ImageData* data = nullptr;
  int64_t batch_size = 0;
  MixConfig mix;
  uint64_t seed = 0;
  StepTiming timing = StepTiming::Queued;

  /// The participants that learn, in their order. Throws: std::logic_error where there is none.
  std::vector<const Participant*> learners() const;
  /// Where it runs: the device of all who learn.
  const Placement& placement() const { return learners().front()->network().placement(); }
  /// Null where nobody of that name takes part.
  const Participant* find(std::string_view participant) const;
  /// The same for one that must be there. Throws: std::logic_error.
  const Participant& at(std::string_view participant) const;
  /// The terms that are transfers, in their order.
  std::vector<Transfer*> transfers() const;
};

/// The order in which the phase's samples are drawn.
Sampler make_sampler(const Phase& phase);

/// What the phase's transfers are told of the run when they are set up.
/// Throws: ConfigError where a batch is larger than the training split.
RunShape make_run_shape(const Phase& phase);

/// Sets those transfers up that are not.
/// Throws: ConfigError for taps that do not exist, and what setup() throws.
void set_transfers_up(const Phase& phase);

}  // namespace retort::host
