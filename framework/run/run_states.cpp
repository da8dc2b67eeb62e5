#include "framework/run/run_states.hpp"

#include "framework/base/error.hpp"
#include "framework/io/file_bytes.hpp"
#include "framework/io/hash.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

std::string hash_file(const std::filesystem::path& file) {
  return xxh3_128_hex(map_file(file, SIZE_MAX).bytes());
}

/// What a learner's weights are called within a phase: nothing, where it is the only one.
std::string part_of(const PhaseSpec& phase, const std::string& learner) {
  return phase.learners.size() > 1 ? learner : "";
}

}  // namespace

std::optional<CheckpointStore::Found> RunStates::find_newest() {
  std::optional<CheckpointStore::Found> found = store_.newest();
  if (found) files_ = found->checkpoint.files;
  return found;
}

void RunStates::save(const std::string& phase, PhaseEnd end, const std::vector<ComparisonRow>& rows,
                     uint64_t metrics_bytes, const Loop& loop) {
  const bool complete = end == PhaseEnd::Reached;
  store_.save(
      {phase, complete, loop.state(), rows, metrics_bytes, machine_, files_, loop.rollback_state()},
      loop.tensors());
}

void RunStates::save_weights(const PhaseSpec& phase, SavedWeights which, const Network& network) {
  save(phase, part_of(phase, network.role()), which, network.parameters(),
       {{"format", "pt"}, {"model", network.description()}});
}

void RunStates::load_weights(const PhaseSpec& phase, Network& network) const {
  load(phase, part_of(phase, network.role()), network.parameters());
}

void RunStates::save_modules(const PhaseSpec& phase, Transfer& transfer) {
  if (transfer.parameters()->all().empty()) return;
  save(phase, transfer.name(), SavedWeights::Last, *transfer.parameters(), {{"format", "pt"}});
}

void RunStates::load_modules(const PhaseSpec& phase, Transfer& transfer) const {
  if (transfer.parameters()->all().empty()) return;
  load(phase, transfer.name(), *transfer.parameters());
}

void RunStates::save(const PhaseSpec& phase, const std::string& part, SavedWeights which,
                     const ParameterSet& parameters, const SafeMetadata& metadata) {
  const std::filesystem::path file = layout_.phase_weights(phase.name, part, which);
  save_network(file, parameters, metadata);
  if (which == SavedWeights::Last) files_[weights_name(phase.name, part, which)] = hash_file(file);
}

void RunStates::load(const PhaseSpec& phase, const std::string& part,
                     ParameterSet& parameters) const {
  const std::filesystem::path file = layout_.phase_weights(phase.name, part, SavedWeights::Last);
  const auto saved = files_.find(weights_name(phase.name, part, SavedWeights::Last));
  if (saved == files_.end() || hash_file(file) != saved->second)
    throw DataError(file.string() + ": damaged: not the network that this run trained");
  host::load_weights(parameters, file, {});
}

}  // namespace retort::host
