#include "framework/report/compare.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/config/leaves.hpp"
#include "framework/config/paths.hpp"
#include "framework/config/toml_file.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/report/run_record.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

/// The values of a resolved experiment in its order, without what may differ between seeds.
Lines settings_of(const RunRecord& record) {
  Diagnostics mistakes;
  const std::string file = RunLayout(record.folder).experiment().string();
  const std::string text = portable_text(record.experiment, record.run.started_in);
  std::optional<config::Node> tree = config::parse_toml(text, file, mistakes);
  if (!tree) {
    const Mistake& first = mistakes.mistakes().front();
    throw DataError(place_text(first.place) + ": " + first.what +
                    "; restore the file or run the experiment again");
  }
  std::erase_if(tree->items, [](const config::Node& item) { return item.key == "seed"; });
  Lines lines;
  for (const config::Leaf& leaf : config::find_leaves(*tree))
    lines.push_back(leaf.key + " = " + leaf.value);
  return lines;
}

/// The runs that differ in nothing but their seed, and of each the copies that do not count.
struct Group {
  std::string experiment;
  Lines settings;
  std::vector<RunRecord> runs;
  std::vector<std::vector<fs::path>> copies = {};
};

/// Whether one is a copy of the other: the same seed gives the same run, and no two runs take the
/// same time to the last digit. A run without results is none.
bool are_copies(const RunResults& a, const RunResults& b) {
  if (a.results.empty() || b.results.empty()) return false;
  if (a.seed && a.seed == b.seed) return true;
  const bool timed = std::any_of(a.results.begin(), a.results.end(), [](const auto& result) {
    return result.train_seconds.value_or(0) > 0;
  });
  return timed && a.results_hash == b.results_hash;
}

/// Adds a run. Of copies the one with most results counts: another may have been stopped.
void add_run(Group& group, RunRecord record) {
  const auto original =
      std::find_if(group.runs.begin(), group.runs.end(),
                   [&](const RunRecord& other) { return are_copies(other.run, record.run); });
  if (original == group.runs.end()) {
    group.runs.push_back(std::move(record));
    group.copies.emplace_back();
    return;
  }
  const auto at = static_cast<size_t>(original - group.runs.begin());
  if (record.run.results.size() > original->run.results.size()) std::swap(*original, record);
  group.copies[at].push_back(record.folder);
}

void warn_of_copies(const Group& group) {
  constexpr size_t kShown = 3;
  for (size_t at = 0; at < group.runs.size(); ++at) {
    const std::vector<fs::path>& copies = group.copies[at];
    if (copies.empty()) continue;
    std::string names;
    for (size_t i = 0; i < std::min(copies.size(), kShown); ++i) {
      names += (i == 0 ? "" : ", ") + copies[i].string();
    }
    if (copies.size() > kShown) names += fmt::format(" and {} more", copies.size() - kShown);
    spdlog::warn(
        "{}: the same seed or the same results as {}: a copy is no further seed and is "
        "not counted",
        names, group.runs[at].folder.string());
  }
}

std::vector<Group> groups_of(const std::vector<fs::path>& folders) {
  std::vector<Group> groups;
  for (const fs::path& folder : folders) {
    RunRecord record = read_run(folder);
    Lines settings = settings_of(record);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& other) { return other.settings == settings; });
    if (group == groups.end()) {
      groups.push_back({record.run.experiment, std::move(settings), {}});
      group = groups.end() - 1;
    }
    add_run(*group, std::move(record));
  }
  for (const Group& group : groups) warn_of_copies(group);
  return groups;
}

/// Whether it only repeats a key of [train], which phases and teachers inherit: "phase[0].train.epochs
/// = 30" beside "train.epochs = 30".
bool is_inherited(const std::string& line, const Lines& settings) {
  const std::string rest = line.substr(line.find('.') + 1);
  return rest.starts_with("train.") &&
         std::find(settings.begin(), settings.end(), rest) != settings.end();
}

/// What a group sets otherwise than another one. What phases inherit is left out: there is a lot.
std::string differing(const Group& group, const std::vector<Group>& all) {
  const bool has_phases =
      std::any_of(group.settings.begin(), group.settings.end(),
                  [](const std::string& line) { return line.starts_with("phase["); });
  std::string text;
  for (const std::string& line : group.settings) {
    if (has_phases && is_inherited(line, group.settings)) continue;
    const bool shared = std::all_of(all.begin(), all.end(), [&](const Group& other) {
      return std::find(other.settings.begin(), other.settings.end(), line) != other.settings.end();
    });
    if (!shared) text += (text.empty() ? "" : ", ") + line;
  }
  return text;
}

/// What a row gains in each run over the row that it names.
std::vector<double> difference(const std::vector<RunRecord>& runs, const std::string& name,
                               std::string RecordedResult::*other) {
  std::vector<double> values;
  for (const RunRecord& record : runs) {
    const RecordedResult* row = record.run.find(name);
    if (row == nullptr || (row->*other).empty()) continue;
    const RecordedResult* beside = record.run.find(row->*other);
    if (beside == nullptr || !row->top1 || !beside->top1) continue;
    values.push_back(*row->top1 - *beside->top1);
  }
  return values;
}

/// The count that all runs agree on which tell it.
std::optional<int64_t> shared_count(const std::vector<RunRecord>& runs, const std::string& name,
                                    std::optional<int64_t> RecordedResult::*count) {
  std::optional<int64_t> shared;
  for (const RunRecord& record : runs) {
    const RecordedResult* row = record.run.find(name);
    if (row == nullptr || !(row->*count)) continue;
    if (shared && shared != row->*count) return std::nullopt;
    shared = row->*count;
  }
  return shared;
}

std::optional<Spread> spread_if_any(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return make_spread(values);
}

ComparedNetwork compared(const Group& group, const std::string& name) {
  ComparedNetwork network;
  network.experiment = group.experiment;
  network.network = name;
  std::vector<double> top1, top5, agreement, calibration, seconds;
  const auto keep = [](std::vector<double>& values, const std::optional<double>& value) {
    if (value) values.push_back(*value);
  };
  for (const RunRecord& record : group.runs) {
    const RecordedResult* row = record.run.find(name);
    if (row == nullptr) continue;
    keep(top1, row->top1);
    keep(seconds, row->train_seconds);
    if (!row->evaluation) continue;
    keep(top5, row->evaluation->top5);
    keep(agreement, row->evaluation->teacher_agreement);
    keep(calibration, row->evaluation->calibration_error);
  }
  for (double& share : agreement) share *= 100;
  network.top1 = make_spread(top1);
  network.top5 = spread_if_any(top5);
  network.agreement = spread_if_any(agreement);
  network.calibration_error = spread_if_any(calibration);
  network.train_seconds = make_spread(seconds).mean;
  network.parameters = shared_count(group.runs, name, &RecordedResult::parameters);
  network.multiply_adds = shared_count(group.runs, name, &RecordedResult::multiply_adds);
  const std::vector<double> gains = difference(group.runs, name, &RecordedResult::alone);
  network.versus_alone = spread_if_any(gains);
  network.p_alone = find_paired_p(gains);
  network.versus_teacher = spread_if_any(difference(group.runs, name, &RecordedResult::teacher));
  return network;
}

}  // namespace

std::vector<ComparedNetwork> compare_runs(const std::vector<fs::path>& folders) {
  std::vector<ComparedNetwork> networks;
  const std::vector<Group> groups = groups_of(folders);
  for (const Group& group : groups) {
    std::vector<std::string> names;
    for (const RunRecord& record : group.runs) {
      for (const RecordedResult& row : record.run.results) {
        if (std::find(names.begin(), names.end(), row.name) == names.end()) {
          names.push_back(row.name);
        }
      }
    }
    for (const std::string& name : names) {
      networks.push_back(compared(group, name));
      networks.back().settings = differing(group, groups);
    }
  }
  return networks;
}

}  // namespace retort::host
