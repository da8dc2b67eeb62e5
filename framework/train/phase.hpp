#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/data/loader.hpp"
#include "framework/data/mix.hpp"
#include "framework/data/sampler.hpp"
#include "framework/data/views.hpp"
#include "framework/train/output_source.hpp"
#include "framework/train/term.hpp"
#include "framework/train/transfer.hpp"

namespace retort::host {

/// Whether a part of a step is over when its work is on its way to the device, or when it is done there,
/// so that its time means something on a GPU.
enum class StepTiming { Queued, Done };

/// Who takes part in a phase. What it is called is all that tells a teacher from a student.
struct Participant {
  std::string name;
  std::shared_ptr<OutputSource> outputs;
  // Whether its network's parameters are the optimizer's: then its passes are of training and record
  // gradients. The outputs of the others have none.
  bool learns = false;
  // Makes the field of the batches that the outputs read, and what its network is evaluated on.
  const ViewMaker* views = nullptr;
};

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

  /// The participant that learns. Throws: std::logic_error where it is not one.
  const Participant& learner() const;
  /// Its network.
  Network& student() const { return *learner().outputs->network(); }
  /// Null where nobody of that name takes part.
  const Participant* find(std::string_view participant) const;
  /// The terms that are transfers, in their order.
  std::vector<Transfer*> transfers() const;
};

/// The order in which the phase's samples are drawn.
Sampler make_sampler(const Phase& phase);

/// The fields of the phase's batches that its participants read.
std::vector<View> make_views(const Phase& phase);

/// What the phase's transfers are told of the run when they are set up.
/// Throws: ConfigError where a batch is larger than the training split.
RunShape make_run_shape(const Phase& phase);

/// Sets those transfers up that are not.
/// Throws: ConfigError for taps that do not exist, and what setup() throws.
void set_transfers_up(const Phase& phase);

}  // namespace retort::host
