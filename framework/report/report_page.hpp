#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace retort::host {

/// The page on one run, or on several side by side: curves, tables, confusion against the teacher,
/// the resolved experiment and versions. Made from the files of the run folders alone, so it can be
/// made again at any time. One HTML file that is well-formed XML, without scripts, and that fetches
/// nothing; all text from the files is escaped.
/// Throws: DataError where a folder is no run folder, or a file in it is damaged.
std::string report_page(const std::vector<std::filesystem::path>& folders);

/// Writes FOLDER/report.html as a whole.
/// Throws: also EnvironmentError where it cannot be written.
void write_report(const std::filesystem::path& folder);

}  // namespace retort::host
