#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/diagnostics.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/node.hpp"
#include "framework/plugin/catalog.hpp"

namespace retort::host {

/// An experiment file (with those it extends), the overrides of the command line (`student.depth=8`)
/// and what is installed, each read once: what changes on the disk afterwards changes no experiment
/// that is made of it. No code of a plugin runs.
class ExperimentFile {
 public:
  /// What cannot be read is told by load().
  ExperimentFile(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                 Catalog catalog);

  /// A file that was read already. `reading` holds what was wrong with it.
  ExperimentFile(std::filesystem::path file, std::optional<config::Node> tree, Diagnostics reading,
                 Catalog catalog);

  /// The experiment, with its sweep.
  /// Throws: MistakesError with every mistake at once, those of each trial included, each with its
  /// place, the value found and what is accepted.
  Experiment load(Purpose purpose = Purpose::Train) const;

  /// One trial of it: with these overrides too, without sweep and seeds.
  /// Throws: MistakesError as load().
  Experiment load_trial(const std::vector<std::string>& overrides) const;

 private:
  Experiment read(const config::Node& tree, Purpose purpose, Diagnostics& diagnostics) const;

  std::filesystem::path file_;
  Diagnostics reading_;  // what was wrong with the files and overrides themselves
  std::optional<config::Node> tree_;
  Catalog catalog_;
};

/// The experiment of a file: ExperimentFile::load().
Experiment load_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides, const Catalog& catalog);

}  // namespace retort::host
