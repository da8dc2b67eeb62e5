#include <nlohmann/json.hpp>

#include <spdlog/spdlog.h>

#include "framework/base/failure.hpp"
#include "framework/base/text.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/report/print.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/report/run_record.hpp"
#include "framework/run/result_files.hpp"
#include "framework/run/saved_run.hpp"
#include "framework/run/session.hpp"
#include "framework/run/teacher_store.hpp"

namespace retort::host {
namespace {

struct Evaluated {
  std::string name;
  std::string source;
  Accuracy accuracy;
  std::string run = {};  // the run folder, where a folder of runs was named
};

/// An experiment file as it is; a run folder as the experiment it ran, with the student that came
/// out of it.
Experiment load_saved(const ExperimentArguments& arguments, const CommonOptions& common) {
  namespace fs = std::filesystem;
  const std::string& target = arguments.file;
  if (!fs::is_directory(target)) {
    return read_for_command(arguments, common).load(Purpose::Evaluate);
  }
  const RunLayout layout(target);
  SavedRun saved = load_saved_run(target, arguments.overrides, scan_for_command(common, true),
                                  Purpose::Evaluate);
  for (const ResultFile& result : list_result_files(saved.experiment, RunLayout(saved.folder))) {
    layout.check_no_links({result.file.filename().c_str()});
    if (!fs::exists(result.file)) {
      throw DataError(target + " has no " + result.file.filename().string() +
                      ": the run did not come to its end; " + RunLayout::kCheckpoints +
                      "/ holds what was saved on the way");
    }
    for (NetworkConfig& student : saved.experiment.students) {
      if (student.name != result.student) continue;
      student.weights = result.file;
      student.rename.clear();  // it was for the file that the run began with
    }
  }
  return std::move(saved.experiment);
}

/// The file of a teacher's weights, given or kept, which are loaded then; "" where there is none.
std::string load_teacher(const Session& session, const NetworkConfig& config, Network& teacher) {
  if (const auto given = config.given(); !given.empty()) return given.string();
  const TeacherStore store(session, config);
  return store.load(teacher) ? store.file().string() : "";
}

std::vector<Evaluated> evaluate_saved(const Experiment& experiment) {
  const Session session(experiment);
  std::vector<Evaluated> rows;
  const auto add = [&](Network& network, const std::string& source, int64_t batch_size) {
    network.parameters().freeze();
    rows.push_back(
        {network.role(), source,
         evaluate(network, session.data(), session.eval_views(network.role()), batch_size)});
  };
  for (const NetworkConfig& config : experiment.teachers) {
    const auto teacher = session.make_network(config.name);
    const std::string source = load_teacher(session, config, *teacher);
    if (!source.empty()) add(*teacher, source, config.train.eval_batch_size);
  }
  for (const NetworkConfig& config : experiment.students) {
    // An exported program has values of its own.
    const std::filesystem::path source = config.weights.value_or(config.program.file);
    if (source.empty()) continue;
    add(*session.make_network(config.name), source.string(), experiment.train.eval_batch_size);
  }
  if (rows.empty()) {
    throw ConfigError(experiment.file.string() + ": neither network is saved; name its weights: " +
                      "teacher.weights=FILE.safetensors or student.weights=FILE.safetensors, or "
                      "evaluate a run folder");
  }
  return rows;
}

bool is_folder_of_runs(const std::filesystem::path& target) {
  return std::filesystem::is_directory(target) && !RunLayout(target).is_run();
}

/// Every run below a folder. One that cannot be evaluated is left out, and told.
std::vector<Evaluated> evaluate_runs(const ExperimentArguments& arguments,
                                     const CommonOptions& common) {
  const std::filesystem::path here = std::filesystem::current_path();
  std::vector<Evaluated> rows;
  for (const std::filesystem::path& run : find_runs(arguments.file)) {
    std::filesystem::current_path(here);  // each is loaded where it was started
    try {
      const Experiment experiment = load_saved({run.string(), arguments.overrides}, common);
      for (Evaluated& row : evaluate_saved(experiment)) {
        row.run = run.string();
        rows.push_back(std::move(row));
      }
    } catch (...) {
      spdlog::warn("left out: {}", current_failure().text);
    }
  }
  if (rows.empty()) {
    throw ConfigError(no_run_text(arguments.file) +
                      ", and none of the runs below it can be evaluated; name a run folder such as "
                      "runs/NAME/001, or an experiment file");
  }
  return rows;
}

void print_rows(const std::vector<Evaluated>& rows) {
  std::string run;
  for (const Evaluated& row : rows) {
    if (row.run != run) print_out("{}\n", row.run);
    run = row.run;
    print_out("{:8}  {} of {} right   top-1 {:.2f} %   {}\n", row.name,
              grouped(row.accuracy.correct), grouped(row.accuracy.total), row.accuracy.top1(),
              row.source);
  }
}

}  // namespace

void eval_command(const ExperimentArguments& arguments, const CommonOptions& common) {
  const auto rows = is_folder_of_runs(arguments.file)
                        ? evaluate_runs(arguments, common)
                        : evaluate_saved(load_saved(arguments, common));
  if (!common.json) return print_rows(rows);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Evaluated& row : rows) {
    list.push_back({{"name", row.name},
                    {"weights", row.source},
                    {"test_correct", row.accuracy.correct},
                    {"test_total", row.accuracy.total},
                    {"top1", row.accuracy.top1()}});
    if (!row.run.empty()) list.back()["run"] = row.run;
  }
  print_out("{}\n", json_text(list, 2));
}

}  // namespace retort::host
