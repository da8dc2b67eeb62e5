#include "framework/report/compare.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"
#include "framework/config/leaves.hpp"
#include "framework/config/paths.hpp"
#include "framework/config/toml_file.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/report/print.hpp"
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

/// What a group sets otherwise than another one.
std::string differing(const Group& group, const std::vector<Group>& all) {
  std::string text;
  for (const std::string& line : group.settings) {
    const bool shared = std::all_of(all.begin(), all.end(), [&](const Group& other) {
      return std::find(other.settings.begin(), other.settings.end(), line) != other.settings.end();
    });
    if (!shared) text += (text.empty() ? "" : ", ") + line;
  }
  return text;
}

std::vector<double> difference(const std::vector<RunRecord>& runs, const std::string& name,
                               const std::string& other) {
  std::vector<double> values;
  for (const RunRecord& record : runs) {
    const RecordedResult* row = record.run.find(name);
    const RecordedResult* beside = record.run.find(other);
    if (row == nullptr || beside == nullptr || !row->top1 || !beside->top1) continue;
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
  return spread_of(values);
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
  network.top1 = spread_of(top1);
  network.top5 = spread_if_any(top5);
  network.agreement = spread_if_any(agreement);
  network.calibration_error = spread_if_any(calibration);
  network.train_seconds = spread_of(seconds).mean;
  network.parameters = shared_count(group.runs, name, &RecordedResult::parameters);
  network.multiply_adds = shared_count(group.runs, name, &RecordedResult::multiply_adds);
  if (name != kTeacherRow) {
    network.versus_teacher = spread_if_any(difference(group.runs, name, kTeacherRow));
  }
  if (name != kTeacherRow && name != kAloneRow) {
    const std::vector<double> gains = difference(group.runs, name, kAloneRow);
    network.versus_alone = spread_if_any(gains);
    network.p_alone = paired_p(gains);
  }
  return network;
}

std::string spread_text(const std::optional<Spread>& spread, bool sign = false) {
  if (!spread || spread->count == 0) return "";
  const std::string mean =
      sign ? fmt::format("{:+.2f}", spread->mean) : fmt::format("{:.2f}", spread->mean);
  return spread->count > 1 ? fmt::format("{} +-{:.2f}", mean, spread->std) : mean;
}

void print_text(const std::vector<ComparedNetwork>& networks) {
  size_t width = 20;
  const auto label = [](const ComparedNetwork& network) {
    return safe_line(network.experiment + "  " + network.network +
                     (network.settings.empty() ? "" : "  " + network.settings));
  };
  for (const ComparedNetwork& network : networks) width = std::max(width, label(network).size());
  print_out("{:{}}  {:>4} {:>14} {:>8} {:>14} {:>7} {:>14} {:>8} {:>7} {:>7} {:>11} {:>15}\n", "",
            width, "runs", "top-1 %", "top-5 %", "vs alone", "p", "vs teacher", "agree %", "ECE",
            "s", "parameters", "M multiply-adds");
  for (const ComparedNetwork& network : networks) {
    std::string line = fmt::format(
        "{:{}}  {:>4} {:>14} {:>8} {:>14} {:>7} {:>14} {:>8} {:>7} {:>7.0f} {:>11} {:>15}",
        label(network), width, network.top1.count, spread_text(network.top1),
        network.top5 ? fmt::format("{:.2f}", network.top5->mean) : "",
        spread_text(network.versus_alone, true),
        network.p_alone ? fmt::format("{:.3f}", *network.p_alone) : "",
        spread_text(network.versus_teacher, true),
        network.agreement ? fmt::format("{:.2f}", network.agreement->mean) : "",
        network.calibration_error ? fmt::format("{:.3f}", network.calibration_error->mean) : "",
        network.train_seconds, network.parameters ? grouped(*network.parameters) : "-",
        network.multiply_adds
            ? fmt::format("{:.1f}", static_cast<double>(*network.multiply_adds) / 1e6)
            : "-");
    print_out("{}\n", line);
  }
}

nlohmann::ordered_json json_of(const std::optional<Spread>& spread) {
  if (!spread) return nullptr;
  return {{"mean", spread->mean}, {"std", spread->std}, {"runs", spread->count}};
}

nlohmann::ordered_json json_of(const std::optional<int64_t>& count) {
  return count ? nlohmann::ordered_json(*count) : nlohmann::ordered_json();
}

void print_json(const std::vector<ComparedNetwork>& networks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ComparedNetwork& network : networks) {
    nlohmann::ordered_json entry = {{"experiment", network.experiment},
                                    {"settings", network.settings},
                                    {"network", network.network},
                                    {"top1", json_of(network.top1)},
                                    {"top5", json_of(network.top5)},
                                    {"versus_alone", json_of(network.versus_alone)},
                                    {"versus_teacher", json_of(network.versus_teacher)},
                                    {"teacher_agreement", json_of(network.agreement)},
                                    {"calibration_error", json_of(network.calibration_error)},
                                    {"train_seconds", network.train_seconds},
                                    {"parameters", json_of(network.parameters)},
                                    {"multiply_adds", json_of(network.multiply_adds)}};
    entry["p_versus_alone"] =
        network.p_alone ? nlohmann::ordered_json(*network.p_alone) : nlohmann::ordered_json();
    list.push_back(entry);
  }
  print_out("{}\n", json_text(list, 2));
}

void print_csv(const std::vector<ComparedNetwork>& networks) {
  print_out(
      "experiment,settings,network,runs,top1_mean,top1_std,top5_mean,versus_alone_mean,"
      "versus_alone_std,p_versus_alone,versus_teacher_mean,agreement_mean,calibration_error_mean,"
      "train_seconds,parameters,multiply_adds\n");
  const auto mean = [](const std::optional<Spread>& spread) {
    return spread ? fmt::format("{:.6g}", spread->mean) : "";
  };
  const auto count = [](const std::optional<int64_t>& number) {
    return number ? std::to_string(*number) : "";
  };
  for (const ComparedNetwork& network : networks) {
    print_out("{},{},{},{},{:.6g},{:.6g},{},{},{},{},{},{},{},{:.2f},{},{}\n",
              csv_field(network.experiment), csv_field(network.settings),
              csv_field(network.network), network.top1.count, network.top1.mean, network.top1.std,
              mean(network.top5), mean(network.versus_alone),
              network.versus_alone ? fmt::format("{:.6g}", network.versus_alone->std) : "",
              network.p_alone ? fmt::format("{:.6g}", *network.p_alone) : "",
              mean(network.versus_teacher), mean(network.agreement),
              mean(network.calibration_error), network.train_seconds, count(network.parameters),
              count(network.multiply_adds));
  }
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  spread.count = values.size();
  if (values.empty()) return spread;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / count;
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.std = std::sqrt(squares / (count - 1));
  return spread;
}

std::optional<double> paired_p(const std::vector<double>& differences) {
  const Spread spread = spread_of(differences);
  if (spread.count < 3 || spread.std == 0) return std::nullopt;
  const double count = static_cast<double>(spread.count);
  const double t = spread.mean / (spread.std / std::sqrt(count));
  return 2 *
         boost::math::cdf(boost::math::complement(boost::math::students_t(count - 1), std::abs(t)));
}

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

void print_comparison(const std::vector<fs::path>& folders, CompareFormat format) {
  const std::vector<ComparedNetwork> networks = compare_runs(folders);
  switch (format) {
    case CompareFormat::Text:
      return print_text(networks);
    case CompareFormat::Json:
      return print_json(networks);
    case CompareFormat::Csv:
      return print_csv(networks);
  }
}

}  // namespace retort::host
