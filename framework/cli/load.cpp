#include "framework/cli/load.hpp"

#include <spdlog/spdlog.h>

#include "framework/config/parse.hpp"

namespace retort::host {

Catalog scan_for_command(const CommonOptions& common, bool warn) {
  std::vector<std::filesystem::path> folders(common.plugin_folders.begin(),
                                             common.plugin_folders.end());
  for (const auto& folder : plugin_search_path()) folders.push_back(folder);
  Catalog catalog = Catalog::scan(folders);
  if (warn) {
    for (const std::string& problem : catalog.problems()) spdlog::warn("{}", problem);
  }
  return catalog;
}

Experiment load_for_command(const ExperimentArguments& arguments, const CommonOptions& common) {
  return load_experiment(arguments.file, arguments.overrides, scan_for_command(common, true));
}

}  // namespace retort::host
