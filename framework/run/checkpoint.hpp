#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/report/comparison.hpp"
#include "framework/train/training_state.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {

/// What the bits of a run depend on beside its experiment: name -> value.
using MachineFacts = std::map<std::string, std::string>;

/// A run between two steps: what `--resume` goes on with.
struct Checkpoint {
  std::string phase;      // "teacher", "alone", "distil"
  bool complete = false;  // the phase came to its end, and its row is in `rows`
  TrainingState state;
  std::vector<ComparisonRow> rows;  // of the phases before
  uint64_t metrics_bytes = 0;       // what metrics.jsonl held
  MachineFacts facts;
  std::map<std::string, std::string> files;  // of the run folder that are needed too: name -> hash
  // Where a rollback of this phase returns to, with tensors "rollback/...": within an epoch, and only
  // with non_finite = "rollback".
  std::optional<TrainingState> rollback = {};
};

/// The states of one run, RUN/checkpoints/resume: 000012.safetensors and, written after it,
/// 000012.json with the size and hash of the first, and the hash of itself. A state without a whole
/// second file does not exist. The two newest are kept.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path folder);

  /// Throws: EnvironmentError when it cannot be written; the states before are untouched.
  void save(const Checkpoint& checkpoint, const std::vector<NamedTensor>& tensors);

  struct Found {
    Checkpoint checkpoint;
    std::vector<NamedTensor> tensors;
    std::filesystem::path file;
  };
  /// The newest state that verifies; nothing where none was ever saved. Each that does not is told
  /// in a warning.
  /// Throws: DataError when there are states and none of them verifies.
  std::optional<Found> newest();

  /// Removes all of them: the run is finished.
  void clear();

 private:
  std::vector<int64_t> numbers() const;  // ascending
  std::filesystem::path file(int64_t number, const char* ending) const;
  Found load(int64_t number) const;

  std::filesystem::path folder_;
};

}  // namespace retort::host
