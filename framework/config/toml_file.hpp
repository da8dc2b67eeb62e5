#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "framework/config/diagnostics.hpp"
#include "framework/config/node.hpp"

namespace retort::host::config {

/// Parses TOML text; `file` is the name that places carry. A mistake in it goes to the diagnostics.
std::optional<Node> parse_toml(std::string_view text, const std::string& file,
                               Diagnostics& diagnostics);

/// Reads a file of at most 1 MiB into `text`. Returns why it could not, or "".
std::string read_text_file(const std::filesystem::path& file, std::string& text);

/// Parses the right-hand side of `key = value`, or nothing where it is no TOML value. Its places
/// have no file.
std::optional<Node> parse_toml_value(std::string_view text);

}  // namespace retort::host::config
