#pragma once

#include <filesystem>
#include <vector>

namespace retort::host {

/// Whether a path comes before another one, part by part: numbers by their value, so that run folder
/// 1000 comes after 999, and other names by their characters.
bool precedes(const std::filesystem::path& a, const std::filesystem::path& b);

/// Puts run folders that stand beside each other and lie in one folder into the order of their
/// numbers (a shell lists 1000 before 999). Others stay where they are.
void sort_runs(std::vector<std::filesystem::path>& folders);

}  // namespace retort::host
