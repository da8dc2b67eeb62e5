#include "framework/report/run_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/config/paths.hpp"
#include "framework/config/resolved.hpp"
#include "framework/io/atomic_file.hpp"
#include "framework/io/json_text.hpp"
#include "framework/report/evaluation_json.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/report/plugin_hash.hpp"
#include "framework/report/run_record.hpp"

namespace retort::host {
namespace {

constexpr int kMostRuns = 100000;

std::filesystem::path next_free(const std::filesystem::path& parent) {
  const auto refuse = [&](const std::string& reason) {
    throw EnvironmentError(parent.string() + ": the run folder cannot be created: " + reason +
                           "; choose another with run.out");
  };
  try {
    make_folders(parent);
  } catch (const EnvironmentError& error) {
    refuse(error.what());
  }
  std::error_code failure;
  for (int number = 1; !failure && number < kMostRuns; ++number) {
    const std::filesystem::path folder = numbered_run(parent, number);
    // Creating tells which of two programs came first; a mere look would not.
    if (std::filesystem::create_directory(folder, failure)) {
      flush_folder(parent);
      return folder;
    }
  }
  refuse(failure ? failure.message() : "all numbers are taken");
  return {};
}

std::string lock_text(const Experiment& experiment) {
  std::map<std::string, const ComponentInfo*> used;
  const auto add = [&](const ComponentChoice& choice) { used[choice.info.id] = &choice.info; };
  add(experiment.data.dataset);
  for (const NetworkConfig& student : experiment.students) add(student.model);
  for (const NetworkConfig& teacher : experiment.teachers) add(teacher.model);
  for (const TransferConfig& transfer : experiment.transfers) add(transfer.strategy);
  std::string text = "# The plugins that this run used: id, version, SHA-256 of the file.\n";
  for (const auto& [id, info] : used) {
    text += id + " " + info->version + " " + hash_of_plugin(*info) + "\n";
  }
  return text;
}

/// What an epoch came to for one network.
void add_counts(nlohmann::ordered_json& object, const LearnerReport& learner) {
  object["test_correct"] = learner.accuracy.correct;
  object["test_total"] = learner.accuracy.total;
  if (!learner.validation) return;
  object["validation_correct"] = learner.validation->correct;
  object["validation_total"] = learner.validation->total;
}

nlohmann::ordered_json result_json(const ComparisonRow& row, const Experiment& experiment) {
  nlohmann::ordered_json entry = {{"name", row.name},
                                  {"test_correct", row.accuracy.correct},
                                  {"test_total", row.accuracy.total},
                                  {"top1", row.accuracy.top1()}};
  const RowReferences usual = find_usual_references(row.name);
  if (row.alone != usual.alone) entry["alone"] = row.alone;
  if (row.teacher != usual.teacher) entry["teacher"] = row.teacher;
  if (row.size) {
    entry["parameters"] = row.size->parameters;
    entry["multiply_adds"] = row.size->multiply_adds;
  }
  if (row.best) {
    entry["best_epoch"] = row.best_epoch;
    entry["best_top1"] = row.best->top1();
    entry["best_chosen_on"] = experiment.data.validation > 0 ? "validation" : "test";
  }
  if (row.versus_alone) entry["versus_alone"] = *row.versus_alone;
  if (row.train_seconds) entry["train_seconds"] = *row.train_seconds;
  if (row.evaluation) entry["evaluation"] = evaluation_json(*row.evaluation);
  return entry;
}

}  // namespace

std::string results_json(const Experiment& experiment, const RunFacts& facts,
                         const std::vector<ComparisonRow>& rows) {
  nlohmann::ordered_json run;
  run["experiment"] = experiment.name;
  run["status"] = safe_text(facts.status);
  run["seed"] = experiment.seed;
  run["device"] = facts.device;
  run["threads"] = facts.threads;
  run["retort"] = RETORT_VERSION;
  run["libtorch"] = RETORT_TORCH_VERSION;
  if (!facts.started_in.empty()) run["started_in"] = facts.started_in;
  run["classes"] = facts.class_names;
  if (!facts.warnings.empty()) run["warnings"] = facts.warnings;
  run["results"] = nlohmann::ordered_json::array();
  for (const ComparisonRow& row : rows) run["results"].push_back(result_json(row, experiment));
  return json_text(run, 2);
}

RunFolder::RunFolder(const Experiment& experiment)
    : layout_(next_free(runs_folder(experiment.run.out, experiment.name))) {
  owner_.emplace(layout_);
  make_folders(layout_.checkpoints());
  const std::filesystem::path here = working_directory();
  if (is_utf8(here.string())) started_in_ = here.string();
  atomic_write(layout_.experiment(), to_toml(with_absolute_paths(experiment, here)));
  atomic_write(layout_.lock(), lock_text(experiment));
}

RunFolder::RunFolder(std::filesystem::path path)
    : layout_(std::move(path)), started_in_(read_start(layout_.folder()).string()) {
  layout_.check_is_run();
  layout_.check_no_links({RunLayout::kMetrics, RunLayout::kCheckpoints, RunLayout::kStates});
  owner_.emplace(layout_);
  make_folders(layout_.checkpoints());
  // What a killed program was writing.
  std::error_code left;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(layout_.folder())) {
    const bool temporary =
        entry.path().extension() == kTemporaryEnding && !entry.is_directory(left);
    if (temporary) std::filesystem::remove(entry.path(), left);
  }
}

uint64_t RunFolder::metrics_bytes() const {
  std::error_code none;
  const std::filesystem::path metrics = layout_.metrics();
  const bool plain =
      std::filesystem::is_regular_file(std::filesystem::symlink_status(metrics, none));
  return plain ? std::filesystem::file_size(metrics) : 0;
}

void RunFolder::truncate_metrics(uint64_t bytes) {
  const uint64_t found = metrics_bytes();
  if (found < bytes) {
    throw DataError(layout_.metrics().string() + ": has " + std::to_string(found) +
                    " bytes, and had " + std::to_string(bytes) +
                    " when the state was saved; it was shortened since");
  }
  if (found <= bytes) return;
  const int metrics = open_to_write(layout_.metrics(), O_WRONLY);
  const int status = ftruncate(metrics, static_cast<off_t>(bytes));
  const int error = errno;
  close(metrics);
  if (status != 0) {
    throw EnvironmentError(layout_.metrics().string() +
                           ": cannot be shortened: " + std::strerror(error) + "; check the disk");
  }
}

void RunFolder::append_metrics(const std::string& phase, const EpochReport& report) {
  nlohmann::ordered_json line;
  line["phase"] = phase;
  line["epoch"] = report.epoch;
  line["lr"] = report.lr;
  for (const auto& [name, value] : report.losses) line["losses"][name] = finite_or_null(value);
  for (const auto& [name, value] : report.metrics) line["metrics"][name] = finite_or_null(value);
  if (report.learners.size() == 1) add_counts(line, report.learners.front());
  for (const LearnerReport& learner : report.learners) {
    if (report.learners.size() > 1) add_counts(line["networks"][learner.name], learner);
  }
  // One write of one line: a reader, or a program that dies, sees whole lines only.
  append_line(layout_.metrics(), json_text(line));
}

void RunFolder::write_status(const Experiment& experiment, const RunFacts& facts) {
  const std::string text = results_json(experiment, facts, {}) + "\n";
  atomic_write(layout_.results(), text);
  mark_.reset();
  if (facts.status != RunFacts().status) return;
  const std::string status = "\"status\": \"";
  const size_t from = text.find(status + facts.status) + status.size();
  mark_ = std::make_unique<CrashMark>(layout_.results(), text.substr(0, from) + "failed: ",
                                      text.substr(from + facts.status.size()));
}

void RunFolder::write_results(const Experiment& experiment, const RunFacts& facts,
                              const std::vector<ComparisonRow>& rows) {
  mark_.reset();
  atomic_write(layout_.results(), results_json(experiment, facts, rows) + "\n");
  atomic_write(layout_.summary(), comparison_csv(rows));
}

}  // namespace retort::host
