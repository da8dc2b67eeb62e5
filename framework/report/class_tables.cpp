#include "framework/report/class_tables.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "framework/report/markup.hpp"

namespace retort::host {
namespace {

using nlohmann::json;

constexpr int64_t kMostInMatrix = 20;
constexpr size_t kMostPairs = 20;
constexpr double kLightest = 0.06, kDarkest = 0.55;  // shades behind text that stays readable

std::string class_name(const json& run, int64_t number) {
  const json names = run.value("classes", json::array());
  if (number < static_cast<int64_t>(names.size())) {
    return escaped(names[static_cast<size_t>(number)].get<std::string>());
  }
  return std::to_string(number);
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

std::string confusion_matrix(const json& run, const json& evaluation) {
  const auto classes = evaluation["classes"].get<int64_t>();
  std::vector<int64_t> counts(static_cast<size_t>(classes * classes)), rows(counts.size());
  for (const json& pair : evaluation["confusion"]) {
    const auto teacher = pair.at(0).get<int64_t>(), student = pair.at(1).get<int64_t>();
    counts.at(static_cast<size_t>(teacher * classes + student)) = pair.at(2);
    rows.at(static_cast<size_t>(teacher)) += pair.at(2).get<int64_t>();
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

std::string confused_pairs(const json& run, const json& evaluation) {
  std::vector<std::array<int64_t, 3>> pairs;
  for (const json& pair : evaluation["confusion"]) {
    const auto entry = pair.get<std::array<int64_t, 3>>();
    if (entry[0] != entry[1]) pairs.push_back(entry);
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a[2] > b[2]; });
  if (pairs.size() > kMostPairs) pairs.resize(kMostPairs);
  std::string body;
  for (const auto& [teacher, student, samples] : pairs) {
    body += element("tr", element("th", class_name(run, teacher)) +
                              element("th", class_name(run, student)) +
                              element("td", std::to_string(samples)));
  }
  return element("p", fmt::format("The {} pairs that differ most often, of {} classes.",
                                  pairs.size(), evaluation["classes"].get<int64_t>())) +
         table(element("th", "teacher says") + element("th", "student says") +
                   element("th", "samples"),
               body);
}

}  // namespace

std::string class_accuracy_table(const json& run) {
  std::string head = element("th", "class") + element("th", "samples");
  std::vector<json> evaluations;
  for (const json& result : run["results"]) {
    if (!result.contains("evaluation")) continue;
    evaluations.push_back(result["evaluation"]);
    head += element("th", escaped(result["name"].get<std::string>()));
  }
  if (evaluations.empty()) return "";
  std::string body;
  for (size_t i = 0; i < evaluations[0]["class_total"].size(); ++i) {
    const int64_t total = evaluations[0]["class_total"][i];
    std::string row = element("th", class_name(run, static_cast<int64_t>(i))) +
                      element("td", std::to_string(total));
    for (const json& evaluation : evaluations) {
      row += accuracy_cell(evaluation["class_correct"].at(i), total);
    }
    body += element("tr", row);
  }
  return element("h3", "Accuracy by class, %") + table(head, body);
}

std::string confusion_tables(const json& run) {
  std::string text;
  for (const json& result : run["results"]) {
    if (!result.contains("evaluation") || !result["evaluation"].contains("confusion")) continue;
    const json& evaluation = result["evaluation"];
    text +=
        element("h3", escaped(result["name"].get<std::string>()) + " against the teacher") +
        (evaluation["classes"].get<int64_t>() <= kMostInMatrix ? confusion_matrix(run, evaluation)
                                                               : confused_pairs(run, evaluation));
  }
  return text;
}

}  // namespace retort::host
