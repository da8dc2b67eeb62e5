#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/exported/write_program.hpp"
#include "framework/report/print.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/run/result_files.hpp"
#include "framework/run/saved_run.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;

/// The exported program of a student, which the experiment names.
const NetworkConfig& find_student(const Experiment& experiment, const ResultFile& result) {
  const NetworkConfig& student = *experiment.find_network(result.student);
  if (!student.program.file.empty()) return student;
  throw ConfigError("the student " + student.name + " is " + student.model.info.id +
                    ", a plugin's model, which has no program to write; its weights are in " +
                    result.file.string());
}

}  // namespace

void export_command(const std::string& run, const std::string& out, const CommonOptions& common) {
  const fs::path target = out.empty() ? fs::path() : fs::absolute(out);
  const SavedRun saved = load_saved_run(run, {}, scan_for_command(common, true), Purpose::Evaluate);
  const RunLayout layout(saved.folder);
  const std::vector<ResultFile> results = list_result_files(saved.experiment, layout);
  if (!target.empty() && results.size() > 1) {
    throw ConfigError("--out names one file, and " + run + " has " +
                      std::to_string(results.size()) +
                      " students; leave it out: each is written "
                      "beside its weights");
  }
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ResultFile& result : results) {
    const NetworkConfig& student = find_student(saved.experiment, result);
    layout.check_no_links({result.file.filename().c_str()});
    if (!fs::exists(result.file)) {
      throw DataError(run + " has no " + result.file.filename().string() +
                      ": the run did not come to its end; resume it with retort run --resume");
    }
    const fs::path file = target.empty() ? fs::path(result.file).replace_extension(".pt2") : target;
    exported::write_program(student.program.file, file, load_tensors(result.file));
    if (common.json) {
      list.push_back({{"student", student.name}, {"file", file.string()}});
    } else {
      print_out("{}  {}\n", student.name, file.string());
    }
  }
  if (common.json) print_out("{}\n", json_text(list, 2));
}

}  // namespace retort::host
