#pragma once

#include <string_view>

namespace retort::host {

/// Takes standard output for the program's results: write_output() writes to where it led, and
/// descriptor 1 leads to standard error from here on, so that nothing that plugins and libraries print
/// gets among the results. Called once, at the start of main; without it results go to stdout.
void take_standard_output();

/// Writes a part of the results, at once or later.
void write_output(std::string_view text);

/// Writes what is left of the results, and returns whether all of them could be written.
bool finish_output();

}  // namespace retort::host
