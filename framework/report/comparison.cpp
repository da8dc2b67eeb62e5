#include "framework/report/comparison.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "framework/io/safe_text.hpp"
#include "framework/report/phase_label.hpp"

namespace retort::host {
namespace {

std::string time_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::lround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

ComparisonRow make_row(std::string name) {
  auto [alone, teacher] = find_usual_references(name);
  ComparisonRow row;
  row.name = std::move(name);
  row.alone = std::move(alone);
  row.teacher = std::move(teacher);
  return row;
}

std::string comparison_text(const std::vector<ComparisonRow>& rows) {
  size_t width = 20;
  for (const ComparisonRow& row : rows) width = std::max(width, row.name.size());
  std::string text =
      fmt::format("{:{}}  {:>8}  {:>9}  {:>11}\n", "", width, "top-1 %", "vs alone", "train time");
  for (const ComparisonRow& row : rows) {
    std::string versus;
    if (row.versus_alone) {
      versus =
          fmt::format("{} {:.2f}", *row.versus_alone < 0 ? "-" : "+", std::abs(*row.versus_alone));
    }
    const std::string time = row.train_seconds ? time_text(*row.train_seconds) : "";
    std::string line = fmt::format("{:{}}  {:8.2f}  {:>9}  {:>11}", row.name, width,
                                   row.accuracy.top1(), versus, time);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string comparison_csv(const std::vector<ComparisonRow>& rows) {
  std::string text = "name,test_correct,test_total,top1,versus_alone,train_seconds\n";
  for (const ComparisonRow& row : rows) {
    text += fmt::format("{},{},{},{:.4f},{},{}\n", csv_field(row.name), row.accuracy.correct,
                        row.accuracy.total, row.accuracy.top1(),
                        row.versus_alone ? fmt::format("{:.4f}", *row.versus_alone) : "",
                        row.train_seconds ? fmt::format("{:.2f}", *row.train_seconds) : "");
  }
  return text;
}

}  // namespace retort::host
