#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/report/run_layout.hpp"
#include "framework/run/checkpoint.hpp"
#include "framework/run/machine_facts.hpp"
#include "framework/run/phases.hpp"
#include "framework/train/loop.hpp"

namespace retort::host {

/// Whether a phase has come to its end.
enum class PhaseEnd { Open, Reached };

/// What a run leaves in its folder to go on with: states, and the weights of each phase at its end, of
/// which the states hold the hashes.
class RunStates {
 public:
  RunStates(const RunLayout& layout, const Session& session)
      : layout_(layout), store_(layout.states()), machine_(machine_facts(session)) {}

  const MachineFacts& machine() const { return machine_; }
  /// As CheckpointStore::newest(); the weights that it needs are those that load_weights() takes.
  std::optional<CheckpointStore::Found> find_newest();

  /// Whether the weights that find_newest() needs are all there.
  /// Throws: DataError that lists those that are not what this run saved.
  void check_files() const;

  /// Saves where a phase stands, with the rows of those that came to their end and the size of
  /// metrics.jsonl.
  void save(const std::string& phase, PhaseEnd end, const std::vector<ComparisonRow>& rows,
            uint64_t metrics_bytes, const Loop& loop);
  /// Saves the weights of a network that a phase trains, as they are.
  void save_weights(const PhaseSpec& phase, SavedWeights which, const Network& network);
  /// Loads the weights that a network ended a phase with.
  /// Throws: DataError where they are not what this run saved.
  void load_weights(const PhaseSpec& phase, Network& network) const;
  /// The same for a transfer's own parameters and buffers, at a phase's end.
  void save_modules(const PhaseSpec& phase, Transfer& transfer);
  void load_modules(const PhaseSpec& phase, Transfer& transfer) const;

  /// Removes the states: the run is finished.
  void clear() { store_.clear(); }

 private:
  void load(const std::string& name, ParameterSet& parameters) const;

  RunLayout layout_;
  CheckpointStore store_;
  MachineFacts machine_;
  std::map<std::string, std::string> files_;  // weights that a resumed run needs: name -> hash
};

}  // namespace retort::host
