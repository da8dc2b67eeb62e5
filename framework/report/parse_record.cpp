#include "framework/report/run_record.hpp"

#include <algorithm>
#include <functional>

#include "framework/base/error.hpp"
#include "framework/io/json_fields.hpp"
#include "framework/io/json_text.hpp"
#include "framework/report/phase_label.hpp"

namespace retort::host {
namespace {

using nlohmann::json;

constexpr int64_t kMostEpochs = int64_t{1} << 20;
constexpr size_t kMostNetworks = 1000;       // of a phase
constexpr double kAny = 1e300;               // sums and differences of such are finite
constexpr int64_t kMost = int64_t{1} << 53;  // that a double holds exactly
constexpr std::string_view kAloneEnd = " alone";

/// How many samples a network names rightly, of how many.
struct RecordedCount {
  int64_t correct = 0;
  int64_t total = 0;
};

/// "test_correct" and "test_total", for "test". Nothing where one of them is missing.
std::optional<RecordedCount> read_count(const JsonFields& fields, const std::string& split) {
  const std::optional<int64_t> correct = fields.count((split + "_correct").c_str());
  const std::optional<int64_t> total = fields.count((split + "_total").c_str());
  if (!correct || !total) return std::nullopt;
  if (*correct > *total) {
    fields.refuse(split + "_correct = " + std::to_string(*correct) + " is above " + split +
                  "_total = " + std::to_string(*total));
  }
  return RecordedCount{*correct, *total};
}

std::vector<std::string> read_texts(const JsonFields& fields, const char* key) {
  std::vector<std::string> texts;
  const json* list = fields.list(key);
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const json& text = (*list)[i];
    if (!text.is_string()) fields.refuse(key + ("[" + std::to_string(i) + "]"), text, "text");
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::vector<ConfusionEntry> read_confusion(const JsonFields& fields, const json& list,
                                           int64_t classes) {
  std::vector<ConfusionEntry> confusion;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::vector<int64_t> row = fields.row("confusion", list, i, 3);
    if (row[0] >= classes || row[1] >= classes) {
      fields.refuse("confusion[" + std::to_string(i) + "] = " + json_text(list[i]) +
                    "; there are " + std::to_string(classes) + " classes, counted from 0");
    }
    confusion.push_back({row[0], row[1], row[2]});
  }
  return confusion;
}

/// What the classes, and the pairs of classes, are counted to be together.
void check_samples(const JsonFields& fields, const RecordedEvaluation& evaluation) {
  const std::optional<int64_t> samples = fields.count("samples");
  if (!samples) return;
  int64_t labelled = 0, paired = 0;
  for (const int64_t total : evaluation.class_total) labelled += total;
  if (evaluation.confusion) {
    for (const ConfusionEntry& entry : *evaluation.confusion) paired += entry.samples;
  }
  const auto check = [&](const char* key, bool told, int64_t sum) {
    if (!told || sum == *samples) return;
    fields.refuse("samples = " + std::to_string(*samples) + ", but " + key + " counts " +
                  std::to_string(sum));
  };
  check("class_total", !evaluation.class_total.empty(), labelled);
  check("confusion", evaluation.confusion.has_value(), paired);
}

RecordedEvaluation read_evaluation(const JsonFields& fields) {
  RecordedEvaluation evaluation;
  fields.number("top1", 0, 100);
  evaluation.top5 = fields.number("top5", 0, 100);
  evaluation.calibration_error = fields.number("calibration_error", 0, 2);
  evaluation.cross_entropy = fields.number("cross_entropy", -kAny, kAny);
  evaluation.teacher_agreement = fields.number("teacher_agreement", 0, 1);
  evaluation.class_correct = fields.counts("class_correct");
  evaluation.class_total = fields.counts("class_total");
  const auto counted = static_cast<int64_t>(evaluation.class_total.size());
  evaluation.classes = fields.count("classes").value_or(counted);
  if (evaluation.class_correct.size() != evaluation.class_total.size() ||
      (counted > 0 && counted != evaluation.classes)) {
    fields.refuse("class_correct and class_total are of " +
                  std::to_string(evaluation.class_correct.size()) + " and " +
                  std::to_string(counted) +
                  " classes, and classes = " + std::to_string(evaluation.classes));
  }
  for (size_t i = 0; i < evaluation.class_total.size(); ++i) {
    if (evaluation.class_correct[i] <= evaluation.class_total[i]) continue;
    fields.refuse("class_correct[" + std::to_string(i) + "] is above class_total");
  }
  const json* confusion = fields.list("confusion");
  if (confusion != nullptr) {
    evaluation.confusion = read_confusion(fields, *confusion, evaluation.classes);
  }
  check_samples(fields, evaluation);
  return evaluation;
}

/// The text of a key that may be "", or the usual one where it is absent.
std::string read_reference(const JsonFields& fields, const json& object, const char* key,
                           const std::string& usual) {
  const std::string text = fields.text(key);
  const auto given = object.find(key);
  return given == object.end() || given->is_null() ? usual : text;
}

RecordedResult read_result(const JsonFields& fields, const json& object) {
  RecordedResult result;
  result.name = fields.text("name");
  const RowReferences usual = find_usual_references(result.name);
  result.alone = read_reference(fields, object, "alone", usual.alone);
  result.teacher = read_reference(fields, object, "teacher", usual.teacher);
  result.top1 = fields.number("top1", 0, 100);
  result.versus_alone = fields.number("versus_alone", -100, 100);
  result.train_seconds = fields.number("train_seconds", 0, kAny);
  result.parameters = fields.count("parameters", kMost);
  result.multiply_adds = fields.count("multiply_adds", kMost);
  read_count(fields, "test");
  fields.count("best_epoch", kMostEpochs);
  fields.number("best_top1", 0, 100);
  fields.text("best_chosen_on");
  const std::optional<JsonFields> evaluation = fields.object("evaluation");
  if (evaluation) result.evaluation = read_evaluation(*evaluation);
  return result;
}

/// The counts of a network in an epoch: its top-1 on the test split.
std::optional<double> read_top1(const JsonFields& fields) {
  const std::optional<RecordedCount> test = read_count(fields, "test");
  read_count(fields, "validation");
  if (!test || test->total == 0) return std::nullopt;
  return 100 * static_cast<double>(test->correct) / static_cast<double>(test->total);
}

std::vector<RecordedNetwork> read_networks(const json& line, const std::string& where) {
  std::vector<RecordedNetwork> networks;
  const JsonFields fields(line, where);
  if (!fields.object("networks")) return networks;
  const json& all = line["networks"];
  if (all.size() > kMostNetworks) {
    fields.refuse("networks are " + std::to_string(all.size()) + "; no run trains as many at once");
  }
  for (const auto& [name, network] : all.items()) {
    if (network.is_null()) continue;
    const std::string path = "networks." + safe_line(name);
    if (!network.is_object()) fields.refuse(path, network, "an object");
    networks.push_back({name, read_top1({network, where + path + "."})});
  }
  return networks;
}

RecordedEpoch read_epoch(const json& line, const std::string& where) {
  const JsonFields fields(line, where);
  RecordedEpoch epoch;
  epoch.phase = fields.text("phase");
  epoch.epoch = fields.count("epoch").value_or(0);
  epoch.losses = fields.numbers("losses");
  epoch.metrics = fields.numbers("metrics");
  fields.number("lr", 0, kAny);
  epoch.top1 = read_top1(fields);
  epoch.networks = read_networks(line, where);
  return epoch;
}

/// Whether a later row of a student says more than one before it: that it is measured against itself
/// alone, which such a row is not.
bool says_more(const RecordedResult& row, const RecordedResult* before) {
  return !row.alone.empty() || before == nullptr || before->alone.empty();
}

/// The student that a row is about: "a" of "a alone", and of "a, kd", which is measured against that.
std::string find_student(const RecordedResult& row) {
  const std::string& alone = row.alone.empty() ? row.name : row.alone;
  return alone.ends_with(kAloneEnd) ? alone.substr(0, alone.size() - kAloneEnd.size()) : alone;
}

}  // namespace

const RecordedResult* RunResults::find(const std::string& name) const {
  const auto found =
      std::find_if(results.begin(), results.end(),
                   [&](const RecordedResult& result) { return result.name == name; });
  return found == results.end() ? nullptr : &*found;
}

const RecordedResult* RunResults::find_result() const {
  const RecordedResult* found = nullptr;
  for (const RecordedResult& result : results)
    if (!result.is_teacher() && says_more(result, found)) found = &result;
  return found;
}

std::vector<std::pair<std::string, const RecordedResult*>> RunResults::find_results() const {
  std::vector<std::pair<std::string, const RecordedResult*>> found;
  for (const RecordedResult& result : results) {
    if (result.is_teacher()) continue;
    const std::string student = find_student(result);
    const auto of_student = std::find_if(found.begin(), found.end(),
                                         [&](const auto& each) { return each.first == student; });
    if (of_student == found.end()) {
      found.emplace_back(student, &result);
    } else if (says_more(result, of_student->second)) {
      of_student->second = &result;
    }
  }
  return found;
}

RunResults parse_results(std::string_view text, const std::string& where) {
  const json object = parse_foreign_object(text, where);
  const JsonFields fields(object, where + ": ");
  RunResults run;
  run.experiment = fields.text("experiment");
  run.status = fields.text("status");
  run.device = fields.text("device");
  run.retort = fields.text("retort");
  run.libtorch = fields.text("libtorch");
  run.started_in = fields.text("started_in");
  run.seed = fields.seed("seed");
  run.threads = fields.count("threads").value_or(0);
  run.classes = read_texts(fields, "classes");
  run.warnings = read_texts(fields, "warnings");
  const json* results = fields.list("results");
  for (size_t i = 0; results != nullptr && i < results->size(); ++i) {
    run.results.push_back(read_result(fields.entry("results", *results, i), (*results)[i]));
  }
  if (results != nullptr) run.results_hash = std::hash<std::string>{}(json_text(*results));
  return run;
}

std::vector<RecordedEpoch> parse_metrics(std::string_view text, const std::string& where) {
  std::vector<RecordedEpoch> epochs;
  // What follows the last line break is still being written, or was when the program was killed.
  text = text.substr(0, text.rfind('\n') + 1);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string line_at = where + ":" + std::to_string(epochs.size() + 1);
    if (std::ssize(epochs) == kMostEpochs) throw DataError(line_at + ": no run has as many epochs");
    const json line = parse_foreign_object(text.substr(0, end), line_at);
    epochs.push_back(read_epoch(line, line_at + ": "));
    text.remove_prefix(end + 1);
  }
  return epochs;
}

}  // namespace retort::host
