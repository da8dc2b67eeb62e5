#include "framework/report/class_tables.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <vector>

#include "framework/io/markup.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/report/run_layout.hpp"

namespace retort::host {
namespace {

constexpr int64_t kMostInMatrix = 20;
constexpr size_t kMostPairs = 20;
constexpr size_t kMostRows = 2000;  // of the table of classes; a browser takes that well
constexpr double kLightest = 0.06, kDarkest = 0.55;  // shades behind text that stays readable

std::string class_name(const RunResults& run, int64_t number) {
  const auto at = static_cast<size_t>(number);
  return at < run.classes.size() ? escaped(run.classes[at]) : std::to_string(number);
}

std::string accuracy_cell(int64_t correct, int64_t total) {
  if (total == 0) return element("td", "");
  const double percent = 100 * static_cast<double>(correct) / static_cast<double>(total);
  return element("td", fmt::format("{:.1f}", percent),
                 fmt::format("class=\"bar\" style=\"--v:{:.1f}%\"", percent));
}

std::string table(const std::string& head, const std::string& body) {
  const std::string whole =
      element("table", element("thead", element("tr", head)) + element("tbody", body));
  return element("div", whole, "class=\"scroll tall\" tabindex=\"0\"");
}

std::string confusion_matrix(const RunResults& run, const RecordedEvaluation& evaluation) {
  const int64_t classes = evaluation.classes;
  std::vector<int64_t> counts(static_cast<size_t>(classes * classes)), rows(counts.size());
  for (const ConfusionEntry& entry : *evaluation.confusion) {
    counts[static_cast<size_t>(entry.teacher * classes + entry.student)] = entry.samples;
    rows[static_cast<size_t>(entry.teacher)] += entry.samples;
  }
  std::string head = element("th", "teacher &#8595; student &#8594;"), body;
  for (int64_t i = 0; i < classes; ++i) {
    head += element("th", class_name(run, i));
    std::string row = element("th", class_name(run, i));
    for (int64_t j = 0; j < classes; ++j) {
      const int64_t count = counts[static_cast<size_t>(i * classes + j)];
      const double share = static_cast<double>(count) /
                           static_cast<double>(std::max<int64_t>(rows[static_cast<size_t>(i)], 1));
      row += element("td", count == 0 ? "" : std::to_string(count),
                     fmt::format("class=\"{}\" style=\"--a:{:.3f}\" title=\"teacher {}, student "
                                 "{}: {} samples\"",
                                 i == j ? "same" : "other",
                                 count == 0 ? 0 : kLightest + (kDarkest - kLightest) * share,
                                 class_name(run, i), class_name(run, j), count));
    }
    body += element("tr", row);
  }
  return table(head, body);
}

std::string confused_pairs(const RunResults& run, const RecordedEvaluation& evaluation) {
  std::vector<ConfusionEntry> pairs;
  for (const ConfusionEntry& entry : *evaluation.confusion) {
    if (entry.teacher != entry.student) pairs.push_back(entry);
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a.samples > b.samples; });
  if (pairs.size() > kMostPairs) pairs.resize(kMostPairs);
  std::string body;
  for (const auto& [teacher, student, samples] : pairs) {
    body += element("tr", element("th", class_name(run, teacher)) +
                              element("th", class_name(run, student)) +
                              element("td", std::to_string(samples)));
  }
  return element("p", fmt::format("The {} pairs that differ most often, of {} classes.",
                                  pairs.size(), evaluation.classes)) +
         table(element("th", "teacher says") + element("th", "student says") +
                   element("th", "samples"),
               body);
}

/// "student against the teacher", or "a against the teacher big" where it has another name.
std::string confusion_title(const RecordedResult& result) {
  const bool named = !result.teacher.empty() && result.teacher != kTeacherRow;
  return result.name + " against the teacher" + (named ? " " + result.teacher : "");
}

}  // namespace

std::string class_accuracy_table(const RunResults& run) {
  std::string head = element("th", "class") + element("th", "samples");
  std::vector<const RecordedEvaluation*> evaluations;
  for (const RecordedResult& result : run.results) {
    if (!result.evaluation) continue;
    evaluations.push_back(&*result.evaluation);
    head += element("th", escaped(result.name));
  }
  if (evaluations.empty()) return "";
  const std::vector<int64_t>& totals = evaluations[0]->class_total;
  const bool all = totals.size() <= kMostRows;
  size_t shown = 0;
  std::string body;
  for (size_t i = 0; i < totals.size() && shown < kMostRows; ++i) {
    if (!all && totals[i] == 0) continue;
    ++shown;
    std::string row = element("th", class_name(run, static_cast<int64_t>(i))) +
                      element("td", std::to_string(totals[i]));
    for (const RecordedEvaluation* evaluation : evaluations) {
      const bool known = i < evaluation->class_total.size();
      row += known ? accuracy_cell(evaluation->class_correct[i], evaluation->class_total[i])
                   : element("td", "");
    }
    body += element("tr", row);
  }
  std::string text = element("h3", "Accuracy by class, %");
  if (!all) {
    text += element("p", fmt::format("The first {} of {} classes that have samples; {} holds "
                                     "all of them.",
                                     shown, totals.size(), RunLayout::kResults));
  }
  return text + table(head, body);
}

std::string confusion_tables(const RunResults& run) {
  std::string text;
  for (const RecordedResult& result : run.results) {
    if (!result.evaluation || !result.evaluation->confusion) continue;
    const RecordedEvaluation& evaluation = *result.evaluation;
    text += element("h3", escaped(confusion_title(result))) +
            (evaluation.classes <= kMostInMatrix ? confusion_matrix(run, evaluation)
                                                 : confused_pairs(run, evaluation));
  }
  return text;
}

}  // namespace retort::host
