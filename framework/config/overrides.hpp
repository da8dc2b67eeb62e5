#pragma once

#include <string>

#include "framework/config/diagnostics.hpp"
#include "framework/config/node.hpp"

namespace retort::host::config {

/// Sets one value of the tree as the command line asks: `student.depth=8`,
/// `transfer[0].temperature=2` (or `transfer.0.temperature=2`), `data.dataset=mnist`; `student[0]`
/// also where there is one [student]. The value is TOML, or else a bare word taken as text. Tables
/// on the way are made. The new nodes' place is "command line: " and the override, with the column
/// in it. Mistakes go to the diagnostics.
void apply_override(Node& tree, const std::string& override_text, Diagnostics& diagnostics);

/// The path of an override in one spelling: transfer[0].x for `transfer.0."x"`. As it is where it is
/// malformed.
std::string write_override_path(const std::string& path);

}  // namespace retort::host::config
