#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/config/node.hpp"

namespace retort::host {

// Paths of an experiment that are relative to the working directory of its start: run.out, and the
// data set's text options that are named as paths (contract 0.2 has no option of type path). Weights
// are absolute as soon as they are read.

/// The current folder; empty where it was removed, and relative paths then stay relative.
std::filesystem::path working_directory();

/// Whether a text option of a data set is a path, by its name: root, file, path, folder, directory,
/// dir, or one that ends so ("train_file").
bool is_path_name(std::string_view name);

/// The experiment as its run folder keeps it: run.out, and those paths of the data set that lead to
/// something, absolute. One that TOML cannot hold (not UTF-8) stays as it is.
Experiment with_absolute_paths(Experiment experiment, const std::filesystem::path& start);

/// The text of a resolved experiment with its paths below `start` relative to it: equal for runs of
/// one project, whatever version wrote the folder and wherever the project lies now. With an empty
/// `start` relative paths stay and absolute ones too.
std::string portable_text(const std::string& toml, const std::filesystem::path& start);

/// Where the run of a folder may have been started.
struct RunStart {
  std::filesystem::path recorded;  // what the folder says, or empty
  std::filesystem::path around;    // what OUT/NAME/001 lies in, where OUT is relative; or empty
  std::vector<std::filesystem::path> searched;  // where its relative paths are looked for, in order
};

/// The start of a run by its folder, OUT/NAME/001, and the tree of its experiment.toml. Without a
/// record, as in folders of version 0.1: the current folder, then the one that OUT is relative to.
RunStart find_start(const config::Node& tree, const std::filesystem::path& folder,
                    const std::filesystem::path& recorded);

/// Makes the tree's paths absolute that are found in one of the folders of `start`; an absolute one
/// below the recorded start that is no longer there is looked for too, for a project that was moved.
/// Returns the nodes that were found nowhere.
std::vector<const config::Node*> anchor_paths(config::Node& tree, const RunStart& start);

}  // namespace retort::host
