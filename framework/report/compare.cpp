#include "framework/report/compare.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/config/paths.hpp"
#include "framework/report/run_record.hpp"
#include "framework/text.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Lines = std::vector<std::string>;

/// "section.key = value" of a resolved experiment, without what may differ between seeds.
Lines settings_of(const std::string& toml) {
  Lines lines;
  std::string section;
  std::istringstream stream(toml);
  std::map<std::string, int> tables;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("[[")) {
      const std::string name = line.substr(2, line.find(']') - 2);
      section = fmt::format("{}[{}].", name, tables[name]++);
    } else if (line[0] == '[') {
      section = line.substr(1, line.find(']') - 1) + ".";
    } else if (!line.starts_with("seed = ") || !section.empty()) {
      lines.push_back(section + line);
    }
  }
  return lines;
}

struct Group {
  std::string experiment;
  Lines settings;
  std::vector<json> runs;
};

std::vector<Group> groups_of(const std::vector<fs::path>& folders) {
  std::vector<Group> groups;
  for (const fs::path& folder : folders) {
    const RunRecord record = read_run(folder);
    const Lines settings = settings_of(portable_text(record.experiment, read_start(folder)));
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& other) { return other.settings == settings; });
    if (group == groups.end()) {
      groups.push_back({record.run.value("experiment", ""), settings, {}});
      group = groups.end() - 1;
    }
    group->runs.push_back(record.run);
  }
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

std::optional<double> number(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

const json* row_named(const json& run, const std::string& name) {
  const auto results = run.find("results");
  if (results == run.end()) return nullptr;
  for (const json& row : *results) {
    if (row.value("name", "") == name) return &row;
  }
  return nullptr;
}

std::vector<double> difference(const std::vector<json>& runs, const std::string& name,
                               const std::string& other) {
  std::vector<double> values;
  for (const json& run : runs) {
    const json* row = row_named(run, name);
    const json* beside = row_named(run, other);
    if (row != nullptr && beside != nullptr) {
      values.push_back(row->value("top1", 0.0) - beside->value("top1", 0.0));
    }
  }
  return values;
}

/// The count that all runs agree on which tell it.
std::optional<int64_t> shared_count(const std::vector<json>& runs, const std::string& name,
                                    const char* key) {
  std::optional<int64_t> shared;
  for (const json& run : runs) {
    const json* row = row_named(run, name);
    if (row == nullptr || !number(*row, key)) continue;
    const auto count = row->at(key).get<int64_t>();
    if (shared && *shared != count) return std::nullopt;
    shared = count;
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
  for (const json& run : group.runs) {
    const json* row = row_named(run, name);
    if (row == nullptr) continue;
    keep(top1, number(*row, "top1"));
    keep(seconds, number(*row, "train_seconds"));
    const json evaluation = row->value("evaluation", json::object());
    keep(top5, number(evaluation, "top5"));
    keep(agreement, number(evaluation, "teacher_agreement"));
    keep(calibration, number(evaluation, "calibration_error"));
  }
  for (double& share : agreement) share *= 100;
  network.top1 = spread_of(top1);
  network.top5 = spread_if_any(top5);
  network.agreement = spread_if_any(agreement);
  network.calibration_error = spread_if_any(calibration);
  network.train_seconds = spread_of(seconds).mean;
  network.parameters = shared_count(group.runs, name, "parameters");
  network.multiply_adds = shared_count(group.runs, name, "multiply_adds");
  if (name != "teacher") {
    network.versus_teacher = spread_if_any(difference(group.runs, name, "teacher"));
  }
  if (name != "teacher" && name != "student alone") {
    const std::vector<double> gains = difference(group.runs, name, "student alone");
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
    return network.experiment + "  " + network.network +
           (network.settings.empty() ? "" : "  " + network.settings);
  };
  for (const ComparedNetwork& network : networks) width = std::max(width, label(network).size());
  fmt::print("{:{}}  {:>4} {:>14} {:>8} {:>14} {:>7} {:>14} {:>8} {:>7} {:>7} {:>11} {:>15}\n", "",
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
    fmt::print("{}\n", line);
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
  fmt::print("{}\n", list.dump(2));
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

void print_csv(const std::vector<ComparedNetwork>& networks) {
  fmt::print(
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
    fmt::print(
        "{},{},{},{},{:.6g},{:.6g},{},{},{},{},{},{},{},{:.2f},{},{}\n", quoted(network.experiment),
        quoted(network.settings), quoted(network.network), network.top1.count, network.top1.mean,
        network.top1.std, mean(network.top5), mean(network.versus_alone),
        network.versus_alone ? fmt::format("{:.6g}", network.versus_alone->std) : "",
        network.p_alone ? fmt::format("{:.6g}", *network.p_alone) : "",
        mean(network.versus_teacher), mean(network.agreement), mean(network.calibration_error),
        network.train_seconds, count(network.parameters), count(network.multiply_adds));
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
    for (const json& run : group.runs) {
      for (const json& row : run.value("results", json::array())) {
        const std::string name = row.value("name", "");
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
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
