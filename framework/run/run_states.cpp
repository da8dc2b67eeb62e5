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

constexpr const char* kDamaged =
    ": damaged: not the network that this run trained; restore the file, or run the experiment "
    "anew";

}  // namespace

void RunStates::check_files() const {
  std::string damaged;
  for (const auto& [name, hash] : files_) {
    const std::filesystem::path file = layout_.weights_file(name);
    const bool whole = std::filesystem::is_regular_file(file) && hash_file(file) == hash;
    if (!whole) damaged += (damaged.empty() ? "" : "\n") + file.string() + kDamaged;
  }
  if (!damaged.empty()) throw DataError(damaged);
}

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
  const std::string name = weights_name(phase.name, which, part_of(phase, network.role()));
  const std::filesystem::path file = layout_.weights_file(name);
  save_network(file, network.parameters(), {{"format", "pt"}, {"model", network.description()}});
  if (which == SavedWeights::Last) files_[name] = hash_file(file);
}

void RunStates::load_weights(const PhaseSpec& phase, Network& network) const {
  load(weights_name(phase.name, SavedWeights::Last, part_of(phase, network.role())),
       network.parameters());
}

void RunStates::save_modules(const PhaseSpec& phase, Transfer& transfer) {
  if (transfer.parameters()->all().empty()) return;
  const std::string name = weights_name(phase.name, SavedWeights::Last, transfer.name());
  const std::filesystem::path file = layout_.weights_file(name);
  // As in a state: a buffer may hold an infinity, as a minimum that is to come does.
  save_tensors(file, named_weights(*transfer.parameters()), {{"format", "pt"}});
  files_[name] = hash_file(file);
}

void RunStates::load_modules(const PhaseSpec& phase, Transfer& transfer) const {
  if (transfer.parameters()->all().empty()) return;
  load(weights_name(phase.name, SavedWeights::Last, transfer.name()), *transfer.parameters());
}

void RunStates::load(const std::string& name, ParameterSet& parameters) const {
  const std::filesystem::path file = layout_.weights_file(name);
  const auto saved = files_.find(name);
  if (saved == files_.end() || hash_file(file) != saved->second)
    throw DataError(file.string() + kDamaged);
  host::load_weights(parameters, file, {});
}

}  // namespace retort::host
