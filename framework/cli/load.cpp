#include "framework/cli/load.hpp"

#include <spdlog/spdlog.h>

#include "framework/config/schema.hpp"

namespace retort::host {

Catalog scan_for_command(const CommonOptions& common, bool warn) {
  std::vector<std::filesystem::path> folders(common.plugin_folders.begin(),
                                             common.plugin_folders.end());
  for (const auto& folder : plugin_search_path()) folders.push_back(folder);
  Catalog catalog = Catalog::scan(folders, reserved_option_names());
  catalog.add_built_in();
  if (warn) {
    for (const std::string& problem : catalog.problems()) spdlog::warn("{}", problem);
  }
  return catalog;
}

ExperimentFile read_for_command(const ExperimentArguments& arguments, const CommonOptions& common) {
  return {arguments.file, arguments.overrides, scan_for_command(common, true)};
}

Experiment load_for_command(const ExperimentArguments& arguments, const CommonOptions& common) {
  return read_for_command(arguments, common).load();
}

}  // namespace retort::host
