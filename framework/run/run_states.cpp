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

}  // namespace

std::optional<CheckpointStore::Found> RunStates::find_newest() {
  std::optional<CheckpointStore::Found> found = store_.newest();
  if (found) files_ = found->checkpoint.files;
  return found;
}

void RunStates::save(const std::string& phase, PhaseEnd end, const std::vector<ComparisonRow>& rows,
                     uint64_t metrics_bytes, const Trainer& trainer) {
  const bool complete = end == PhaseEnd::Reached;
  store_.save({phase, complete, trainer.state(), rows, metrics_bytes, machine_, files_,
               trainer.rollback_state()},
              trainer.tensors());
}

void RunStates::save_weights(const std::string& phase, SavedWeights which, const Network& network) {
  const std::filesystem::path file = layout_.phase_weights(phase, which);
  save_network(file, network.parameters(), {{"format", "pt"}, {"model", network.description()}});
  if (which == SavedWeights::Last) files_[weights_name(phase, which)] = hash_file(file);
}

void RunStates::load_weights(const std::string& phase, Network& network) const {
  const std::filesystem::path file = layout_.phase_weights(phase, SavedWeights::Last);
  const auto saved = files_.find(weights_name(phase, SavedWeights::Last));
  if (saved == files_.end() || hash_file(file) != saved->second) {
    throw DataError(file.string() + ": damaged: not the network that this run trained");
  }
  host::load_weights(network.parameters(), file, {});
}

}  // namespace retort::host
