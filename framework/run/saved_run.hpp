#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/config/experiment_file.hpp"
#include "framework/run/identity.hpp"

namespace retort::host {

/// A run folder and its experiment.
struct SavedRun {
  std::filesystem::path folder;
  Experiment experiment;
};

/// Reads the experiment of a run folder, from any working directory: its paths mean what they meant where
/// the run was started, and from here on the process works there, where the folder says so. Overrides
/// are relative to the current folder. A path that is found nowhere is warned of, with the places
/// where it was looked for.
/// Throws: ConfigError where it is no run folder; MistakesError as ExperimentFile::load().
SavedRun load_saved_run(const std::filesystem::path& folder,
                        const std::vector<std::string>& overrides, Catalog catalog,
                        Purpose purpose);

/// The folders of earlier runs below OUT/NAME, each known by its experiment.toml, also of an older
/// version.
class EarlierRuns {
 public:
  /// The newest run of this experiment (make_identity): a finished one where there is any.
  std::optional<std::filesystem::path> find(const Experiment& experiment);

 private:
  /// Paths are absolute, or relative to the project where they lie in it.
  struct Kept {
    Settings absolute, portable;
  };
  const Kept& read(const std::filesystem::path& folder);

  std::map<std::filesystem::path, Kept> kept_;  // read once: an experiment.toml never changes
};

}  // namespace retort::host
