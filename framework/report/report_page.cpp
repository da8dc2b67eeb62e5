#include "framework/report/report_page.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>

#include "framework/base/text.hpp"
#include "framework/io/atomic_file.hpp"
#include "framework/io/markup.hpp"
#include "framework/report/class_tables.hpp"
#include "framework/report/line_chart.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/report/report_style.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/report/run_record.hpp"

namespace retort::host {
namespace {

/// Charts by title: "" is top-1 accuracy.
using Charts = std::vector<std::pair<std::string, std::vector<Series>>>;

/// A value of an epoch.
struct Point {
  std::string chart, line;
  double value;
};

std::vector<Point> points_of(const RecordedEpoch& epoch) {
  std::vector<Point> points;
  // Where several networks learn, losses and metrics are the phase's, and accuracies theirs.
  const std::string line = epoch.networks.empty() ? make_line_name(epoch.phase) : epoch.phase;
  if (epoch.top1) points.push_back({"", line, *epoch.top1});
  for (const RecordedNetwork& network : epoch.networks) {
    if (!network.top1) continue;
    points.push_back({"", make_line_name(epoch.phase, network.name), *network.top1});
  }
  for (const auto* values : {&epoch.losses, &epoch.metrics}) {
    for (const auto& [name, value] : *values) points.push_back({name, line, value});
  }
  return points;
}

/// The charts' lines, one for each phase and learner, from one run; `prefix` goes before their
/// names.
void add_lines(const RunRecord& record, const std::string& prefix, Charts& charts) {
  for (const RecordedEpoch& epoch : record.metrics) {
    for (const auto& [title, line, value] : points_of(epoch)) {
      auto chart = std::find_if(charts.begin(), charts.end(),
                                [&title = title](const auto& its) { return its.first == title; });
      if (chart == charts.end()) chart = charts.insert(charts.end(), {title, {}});
      auto& lines = chart->second;
      const std::string name = prefix + line;
      auto series = std::find_if(lines.begin(), lines.end(),
                                 [&](const Series& its) { return its.name == name; });
      if (series == lines.end()) series = lines.insert(lines.end(), {name, {}});
      series->points.emplace_back(epoch.epoch, value);
    }
  }
}

/// A network that was not trained in this run is a level line in the chart of accuracy, unless there
/// is one of its name.
void add_level_line(const std::string& name, double value, std::vector<Series>& lines) {
  int64_t last = 1;
  for (const Series& line : lines) {
    if (line.name == name) return;
    last = std::max(last, line.points.back().first);
  }
  lines.push_back({name, {{1, value}}});
  if (last > 1) lines.back().points.emplace_back(last, value);
}

/// Those teachers that were not trained in this run.
void add_given_teachers(const RunRecord& record, const std::string& prefix, Charts& charts) {
  for (auto& [title, lines] : charts) {
    if (!title.empty()) continue;
    for (const RecordedResult& result : record.run.results) {
      if (!result.is_teacher() || !result.top1) continue;
      add_level_line(prefix + result.name, *result.top1, lines);
    }
  }
}

std::string charts_of(Charts charts) {
  std::string text;
  std::vector<std::string> names;
  for (auto& [title, series] : charts) {
    for (Series& line : series) {
      const auto known = std::find(names.begin(), names.end(), line.name);
      line.colour = static_cast<size_t>(known - names.begin());
      if (known == names.end()) names.push_back(line.name);
    }
  }
  for (const auto& [title, series] : charts) {
    text += title.empty() ? line_chart("Top-1 accuracy", "test, %", series)
                          : line_chart(title == "loss" ? "loss, weighted sum" : title,
                                       "mean of the epoch", series);
  }
  return text.empty() ? "" : element("div", text, "class=\"charts\"");
}

/// A cell that is empty where there is no number.
std::string number(const std::optional<double>& value, const char* form, double scale = 1) {
  return element("td", value ? fmt::format(fmt::runtime(form), scale * *value) : "");
}

/// A network's parameters and multiply-adds; dashes in a run of a version that did not tell them.
std::string size_cells(const RecordedResult& result) {
  if (!result.parameters || !result.multiply_adds) return element("td", "-") + element("td", "-");
  return element("td", grouped(*result.parameters)) +
         element("td", fmt::format("{:.1f}", static_cast<double>(*result.multiply_adds) / 1e6));
}

std::string result_row(const RecordedResult& result, const RunResults& run,
                       const std::string& name) {
  const RecordedEvaluation evaluation = result.evaluation.value_or(RecordedEvaluation());
  const RecordedResult* teacher = result.is_teacher() ? nullptr : run.find(result.teacher);
  std::optional<double> versus;
  if (teacher != nullptr && teacher->top1 && result.top1) versus = *result.top1 - *teacher->top1;
  return element("tr", element("th", escaped(name)) + number(result.top1, "{:.2f}") +
                           number(evaluation.top5, "{:.2f}") +
                           number(result.versus_alone, "{:+.2f}") + number(versus, "{:+.2f}") +
                           number(evaluation.teacher_agreement, "{:.2f}", 100) +
                           number(evaluation.calibration_error, "{:.2f}", 100) +
                           number(evaluation.cross_entropy, "{:.4f}") +
                           number(result.train_seconds, "{:.1f}") + size_cells(result));
}

std::string result_table(const std::vector<RunRecord>& records) {
  std::string head = element("th", "");
  for (const char* title :
       {"top-1 %", "top-5 %", "vs alone", "vs teacher", "agreement %", "calibration error %",
        "cross-entropy", "train s", "parameters", "M multiply-adds"}) {
    head += element("th", title);
  }
  std::string body;
  for (const RunRecord& record : records) {
    const std::string prefix = records.size() > 1 ? record.name() + ": " : "";
    for (const RecordedResult& result : record.run.results) {
      body += result_row(result, record.run, prefix + result.name);
    }
  }
  const std::string table =
      element("table", element("thead", element("tr", head)) + element("tbody", body));
  return element("div", table, "class=\"scroll\" tabindex=\"0\"");
}

std::string facts_of(const RunRecord& record) {
  const RunResults& run = record.run;
  std::string warnings;
  for (const std::string& warning : run.warnings) {
    warnings += element("p", escaped("Warning: " + warning), "class=\"facts\"");
  }
  return element("p",
                 escaped(fmt::format("{}, seed {}, {}, {} {}, retort {}, LibTorch {}", run.status,
                                     run.seed.value_or(0), run.device, run.threads,
                                     run.threads == 1 ? "thread" : "threads", run.retort,
                                     run.libtorch)),
                 "class=\"facts\"") +
         warnings;
}

std::string details_of(const RunRecord& record) {
  std::string text = class_accuracy_table(record.run) + confusion_tables(record.run);
  if (!text.empty()) text = element("h2", "Classes") + text;
  return text + element("h2", "Experiment, resolved") +
         element("pre", escaped(record.experiment), "tabindex=\"0\"") + element("h2", "Plugins") +
         element("pre", escaped(record.lock), "tabindex=\"0\"");
}

std::string body_of(const std::vector<RunRecord>& records) {
  const bool single = records.size() == 1;
  Charts charts;
  for (const RunRecord& record : records) {
    const std::string prefix = single ? "" : record.name() + ": ";
    add_lines(record, prefix, charts);
    add_given_teachers(record, prefix, charts);
  }
  std::string body = result_table(records);
  if (const std::string curves = charts_of(charts); !curves.empty()) {
    body += element("h2", "Training") + curves;
  }
  if (single) {
    return element("h1", escaped(records[0].name())) + facts_of(records[0]) + body +
           details_of(records[0]);
  }
  for (const RunRecord& record : records) {
    body +=
        element("details",
                element("summary", escaped(record.name())) + facts_of(record) + details_of(record),
                "class=\"run\"");
  }
  return element("h1", fmt::format("{} runs", records.size())) + body;
}

}  // namespace

std::string report_page(const std::vector<std::filesystem::path>& folders) {
  std::vector<RunRecord> records;
  for (const std::filesystem::path& folder : folders) records.push_back(read_run(folder));
  const std::string title =
      records.size() == 1 ? records[0].name() : fmt::format("{} runs", records.size());
  const std::string head =
      "<meta charset=\"utf-8\"/>"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>" +
      element("title", escaped(title)) + element("style", kReportStyle);
  const std::string body = element("body", body_of(records));
  return "<!DOCTYPE html>\n" + element("html", element("head", head) + body, "lang=\"en\"") + "\n";
}

void write_report(const std::filesystem::path& folder) {
  atomic_write(RunLayout(folder).page(), report_page({folder}));
}

}  // namespace retort::host
