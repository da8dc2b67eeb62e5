#pragma once

#include <filesystem>

#include "retort/abi.h"

namespace retort::fuzz {

/// Opens the first data set of a plugin that is linked into this program, on a host that can do
/// nothing but read files, and reads its first and last samples.
/// False where open() reports damaged data.
/// Throws: std::logic_error where a function reports anything else.
bool opens(const retort_plugin& plugin, const std::filesystem::path& root);

}  // namespace retort::fuzz
