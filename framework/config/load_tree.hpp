#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/diagnostics.hpp"
#include "framework/config/node.hpp"

namespace retort::host::config {

/// Reads an experiment file, with the files it extends beneath it and the overrides of the command
/// line on top. Tables merge key by key, anything else replaces. `optimizer = "sgd"` becomes
/// `optimizer = { name = "sgd" }`, schedule too; of these two, a table with another name replaces
/// the one beneath it. Nothing comes back where a file cannot be read or parsed; the diagnostics
/// then say why.
std::optional<Node> load_tree(const std::filesystem::path& file,
                              const std::vector<std::string>& overrides, Diagnostics& diagnostics);

/// Applies one override to a tree, as load_tree does with those of the command line.
void override_tree(Node& tree, const std::string& text, Diagnostics& diagnostics);

}  // namespace retort::host::config
