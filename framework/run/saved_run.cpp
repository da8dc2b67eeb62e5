#include "framework/run/saved_run.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "framework/config/load_tree.hpp"
#include "framework/config/paths.hpp"
#include "framework/config/resolved.hpp"
#include "framework/io/file_bytes.hpp"
#include "framework/report/log.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/report/run_order.hpp"
#include "framework/report/run_record.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;

std::string text_of_file(const fs::path& file) {
  const FileBytes bytes = map_file(file, SIZE_MAX);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void warn_of_lost_paths(const std::vector<const config::Node*>& lost, const RunStart& start) {
  std::vector<std::string> places;
  for (const fs::path& place : start.searched) places.push_back(place.string());
  for (const config::Node* node : lost) {
    spdlog::warn(
        "{}: {} \"{}\" is relative to where the run was started, and was not found in {}; go there "
        "first, or write the whole path",
        place_text(node->place), node->key, node->text, fmt::join(places, " or "));
  }
}

/// Goes to where the run was started, for what a plugin may read by a relative path besides. Returns
/// whether that is another folder.
bool work_in(const RunStart& start, Experiment& experiment) {
  if (start.recorded.empty()) return false;
  std::error_code failed;  // one that may not be looked at counts as none
  const fs::path folder = fs::is_directory(start.recorded, failed) ? start.recorded : start.around;
  if (folder.empty() || fs::equivalent(folder, working_directory(), failed)) return false;
  const auto keep = [](ComponentChoice& choice) {
    choice.info.file = fs::absolute(choice.info.file);
  };
  keep(experiment.data.dataset);
  for (auto* networks : {&experiment.students, &experiment.teachers})
    for (NetworkConfig& network : *networks) keep(network.model);
  for (TransferConfig& transfer : experiment.transfers) keep(transfer.strategy);
  fs::current_path(folder, failed);
  if (failed) {
    spdlog::warn("{}: cannot be entered ({}); the run was started there", folder.string(),
                 failed.message());
    return false;
  }
  say("works in  " + folder.string() + ", where the run was started");
  return true;
}

}  // namespace

SavedRun load_saved_run(const fs::path& folder, const std::vector<std::string>& overrides,
                        Catalog catalog, Purpose purpose) {
  const RunLayout layout(folder);
  layout.check_is_run();
  layout.check_no_links({RunLayout::kExperiment});
  Diagnostics reading;
  std::optional<config::Node> tree = config::load_tree(layout.experiment(), {}, reading);
  RunStart start;
  if (tree) {
    start = find_start(*tree, folder, read_start(folder));
    warn_of_lost_paths(anchor_paths(*tree, start), start);
    for (const std::string& text : overrides) config::override_tree(*tree, text, reading);
    anchor_paths(*tree, {{}, {}, {working_directory()}});
  }
  const ExperimentFile saved(layout.experiment(), std::move(tree), std::move(reading),
                             std::move(catalog));
  SavedRun run = {folder, saved.load(purpose)};
  const fs::path whole = fs::absolute(folder);
  if (work_in(start, run.experiment)) run.folder = whole;
  return run;
}

const EarlierRuns::Kept& EarlierRuns::read(const fs::path& folder) {
  const auto [entry, is_new] = kept_.try_emplace(folder);
  if (is_new) {
    const fs::path recorded = read_start(folder);
    const std::string absolute = text_of_file(RunLayout(folder).experiment());
    // A folder that does not say so was started here, if it is of this project.
    const std::string portable =
        portable_text(absolute, recorded.empty() ? working_directory() : recorded);
    entry->second = {read_settings(absolute), read_settings(portable)};
  }
  return entry->second;
}

std::optional<fs::path> EarlierRuns::find(const Experiment& experiment) {
  const fs::path here = working_directory();
  const std::string text = to_toml(with_absolute_paths(experiment, here));
  const Settings defaults = make_default_settings(experiment);
  const Settings absolute = make_identity(read_settings(text), defaults);
  const Settings portable = make_identity(read_settings(portable_text(text, here)), defaults);
  std::optional<fs::path> found;
  bool is_finished = false;
  std::error_code none;
  for (const auto& entry :
       fs::directory_iterator(runs_folder(experiment.run.out, experiment.name), none)) {
    if (!fs::is_regular_file(RunLayout(entry.path()).experiment(), none)) continue;
    const Kept& kept = read(entry.path());
    if (make_identity(kept.absolute, defaults) != absolute &&
        make_identity(kept.portable, defaults) != portable) {
      continue;
    }
    const bool finished = read_status(entry.path()) == "finished";
    if (found && (is_finished != finished ? is_finished : precedes(entry.path(), *found))) continue;
    found = entry.path();
    is_finished = finished;
  }
  return found;
}

}  // namespace retort::host
