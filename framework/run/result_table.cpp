#include "framework/run/result_table.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "framework/report/phase_label.hpp"

namespace retort::host {

void ResultTable::add(const PhaseSpec& spec, const LearnerSpec& learner, Network& network,
                      const Standing& standing, double train_seconds) {
  ComparisonRow row = make_row(learner.row);
  row.accuracy = standing.last;
  row.train_seconds = train_seconds;
  row.alone = learner.alone_row;
  row.teacher = learner.teacher_row;
  if (standing.best_epoch > 0) {  // none where each epoch had outputs that are not finite
    row.best = standing.best_test;
    row.best_epoch = standing.best_epoch;
  }
  row.size = measure_size(network);
  const ComparisonRow* alone = find_row(rows, row.alone);
  if (spec.kind == PhaseKind::Main && alone != nullptr)
    row.versus_alone = row.accuracy.top1() - alone->accuracy.top1();
  rows.push_back(row);
}

void ResultTable::add_teacher(Network& teacher, const Accuracy& accuracy, size_t position) {
  ComparisonRow row = make_row(teacher.role());
  row.accuracy = accuracy;
  row.alone = row.teacher = "";
  row.size = measure_size(teacher);
  rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(std::min(position, rows.size())), row);
}

void ResultTable::warn(const std::string& text) {
  if (text.empty() || std::find(warnings.begin(), warnings.end(), text) != warnings.end()) return;
  warnings.push_back(text);
  spdlog::warn("{}", text);
}

const ComparisonRow* find_row(const std::vector<ComparisonRow>& rows, const std::string& name) {
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const ComparisonRow& row) { return row.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

NetworkSize measure_size(Network& network) {
  return {network.profile().parameters, network.profile().multiply_adds};
}

}  // namespace retort::host
