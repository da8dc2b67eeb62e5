#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/train/optimizer.hpp"
#include "framework/train/phase.hpp"
#include "framework/train/weight_average.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {

/// A participant that learns, with all that changes as it does: its network, and the own modules of
/// the terms that teach it. They are one group: one optimizer, one norm of the gradient that is
/// clipped. Of several learners each has its own.
class Learner {
 public:
  /// The phase, whose transfers are set up, must outlive it. `prefix` stands behind the kind of a
  /// tensor in a saved state: "network/fc.weight" for "", "network.a/fc.weight" for ".a".
  Learner(const Phase& phase, const Participant& participant, std::string prefix);

  const Participant& participant() const { return participant_; }
  Network& network() const { return network_; }
  Optimizer& optimizer() { return optimizer_; }
  const Optimizer& optimizer() const { return optimizer_; }

  /// Takes an update number n, 0-based, into the average, where there is one.
  void average_weights(int64_t n);
  /// Exchanges the average, where there is one, and the network's weights.
  void swap_average();

  /// The network's weights and the average's, but not the optimizer's state: for saved states.
  std::vector<NamedTensor> weights() const;
  /// Those of the optimizer, which come and go.
  std::vector<NamedTensor> optimizer_state() const;
  /// Takes the optimizer's state out of all tensors of a saved state.
  void restore_optimizer(const std::vector<NamedTensor>& all);

  /// "the average of fc.weight is NaN ..": the first weight that is not finite, or "".
  std::string find_bad_weight() const;
  /// The same of what a forward pass writes: its buffers.
  std::string find_bad_buffer() const;

 private:
  const Participant& participant_;
  Network& network_;
  std::string prefix_;
  Optimizer optimizer_;
  std::optional<WeightAverage> average_;
};

/// The learners of a phase, in its order.
std::vector<Learner> make_learners(const Phase& phase);

}  // namespace retort::host
