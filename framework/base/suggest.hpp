#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace retort::host {

/// The edits (insert, delete, replace, swap two neighbours) between two words; `limit` + 1 where
/// there are more.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

/// The known word that `word` was most likely meant to be, or "" when none is near: at most a third
/// of its letters differ (at least one, at most three), letter case aside.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// "a, b, c".
std::string join(const std::vector<std::string>& words, std::string_view separator = ", ");

}  // namespace retort::host
