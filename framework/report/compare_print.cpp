#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/base/text.hpp"
#include "framework/report/compare.hpp"
#include "framework/report/print.hpp"

namespace retort::host {
namespace {

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

void print_comparison(const std::vector<std::filesystem::path>& folders, CompareFormat format) {
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
