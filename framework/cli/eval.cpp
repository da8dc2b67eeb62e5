#include <nlohmann/json.hpp>

#include <spdlog/spdlog.h>

#include "framework/base/failure.hpp"
#include "framework/base/text.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/report/print.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/report/run_record.hpp"
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
  layout.check_no_links({RunLayout::kResultWeights});
  if (!fs::exists(layout.result_weights())) {
    throw DataError(target + " has no " + RunLayout::kResultWeights +
                    ": the run did not come to its end; " + RunLayout::kCheckpoints +
                    "/ holds what was saved on the way");
  }
  SavedRun saved = load_saved_run(target, arguments.overrides, scan_for_command(common, true),
                                  Purpose::Evaluate);
  saved.experiment.student.weights = RunLayout(saved.folder).result_weights();
  saved.experiment.student.rename.clear();  // it was for the file that the run began with
  return std::move(saved.experiment);
}

std::vector<Evaluated> evaluate_saved(const Experiment& experiment) {
  const Session session(experiment);
  std::vector<Evaluated> rows;
  if (experiment.teacher) {
    const auto teacher = session.make_teacher();
    std::string source;
    if (experiment.teacher->weights) {
      source = experiment.teacher->weights->string();
    } else {
      const TeacherStore store(session);
      if (store.load(*teacher)) source = store.file().string();
    }
    if (!source.empty()) {
      teacher->parameters().freeze();
      rows.push_back({kTeacherName, source,
                      evaluate(*teacher, session.data(), session.teacher_views(),
                               experiment.teacher->train.eval_batch_size)});
    }
  }
  if (experiment.student.weights) {
    const auto student = session.make_student();
    student->parameters().freeze();
    rows.push_back({kStudentName, experiment.student.weights->string(),
                    evaluate(*student, session.data(), session.student_views(),
                             experiment.train.eval_batch_size)});
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
