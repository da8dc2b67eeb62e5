#include "framework/report/compare.hpp"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "framework/base/failure.hpp"
#include "framework/cli/commands.hpp"
#include "framework/io/atomic_file.hpp"
#include "framework/report/print.hpp"
#include "framework/report/report_page.hpp"
#include "framework/report/run_order.hpp"
#include "framework/report/run_owner.hpp"
#include "framework/report/run_record.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;

bool has_state(const RunLayout& layout) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(layout.states(), none)) {
    if (entry.path().extension() == ".json") return true;
  }
  return false;
}

/// "finished", "running", "failed: ..", and where it can be resumed, that.
std::string state_of(const RunLayout& layout, const std::string& status) {
  if (status == "finished") return status;
  if (has_owner(layout)) return "running";
  const std::string was = status == "running" ? "killed" : status;
  return was + (has_state(layout) ? ", resumable" : "");
}

/// A line of the list.
struct ListedRun {
  std::string state;
  std::optional<double> top1;  // of several students the best
  std::vector<std::pair<std::string, double>>
      students;  // each one's top-1, where there are several
  std::optional<uint64_t> seed;
};

void add_top1(const RunResults& run, ListedRun& listed) {
  if (const RecordedResult* result = run.find_result()) listed.top1 = result->top1;
  const auto results = run.find_results();
  if (results.size() < 2) return;
  listed.top1.reset();
  for (const auto& [student, result] : results) {
    if (!result->top1) continue;
    listed.students.emplace_back(student, *result->top1);
    listed.top1 = std::max(listed.top1.value_or(0), *result->top1);
  }
}

/// A run that cannot be read is listed with the reason: it must not hide the others.
ListedRun list_run(const fs::path& folder) {
  ListedRun listed;
  try {
    const RunResults run = read_results(folder);
    listed.state = run.status.empty()
                       ? fmt::format("unreadable: its {} has no status", RunLayout::kResults)
                       : state_of(RunLayout(folder), run.status);
    listed.seed = run.seed;
    add_top1(run, listed);
  } catch (...) {
    listed.state = "unreadable: " + current_failure().text;
  }
  return listed;
}

void print_run(const fs::path& folder, const ListedRun& run) {
  const std::string top1 = run.top1 ? fmt::format("{:.2f}", *run.top1) : "";
  const std::string seed = run.seed ? std::to_string(*run.seed) : "";
  std::string state = run.state.substr(0, run.state.find('\n'));
  for (const auto& [student, its_top1] : run.students) {
    const char* before = student == run.students.front().first ? "   " : ", ";
    state += fmt::format("{}{} {:.2f}", before, student, its_top1);
  }
  print_out("{:40} {:>6}  seed {:<6} {}\n", safe_line(folder.string()), top1, seed,
            safe_line(state));
}

/// The runs that a path stands for: the run itself, or of a folder of runs those that can be
/// compared.
void add_runs(const fs::path& path, std::vector<fs::path>& runs) {
  const std::vector<fs::path> found = find_runs(path);
  if (found.empty() || found.front() == path) {
    runs.push_back(path);
    return;
  }
  for (const fs::path& run : found) {
    try {
      compare_runs({run});
      runs.push_back(run);
    } catch (const DataError& damage) {
      spdlog::warn("left out: {}", damage.what());
    }
  }
}

}  // namespace

void compare_command(const CompareArguments& arguments, const CommonOptions& common) {
  std::vector<fs::path> folders;
  for (const std::string& run : arguments.runs) add_runs(run, folders);
  if (folders.empty()) {
    throw DataError(arguments.runs.front() + ": none of its runs can be read");
  }
  sort_runs(folders);
  print_comparison(folders, common.json     ? CompareFormat::Json
                            : arguments.csv ? CompareFormat::Csv
                                            : CompareFormat::Text);
  if (!arguments.html.empty()) atomic_write(arguments.html, report_page(folders));
}

void list_runs_command(const std::string& folder, const CommonOptions& common) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw DataError(folder + ": " +
                    (fs::exists(folder, error) ? "is no folder" : "no such folder") +
                    "; name the one that run.out leads to, or one of its parents: retort ls runs "
                    "FOLDER");
  }
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const fs::path& path : find_runs(folder)) {
    const ListedRun run = list_run(path);
    if (!common.json) {
      print_run(path, run);
      continue;
    }
    list.push_back({{"folder", path.string()}, {"state", run.state}});
    list.back()["top1"] = run.top1 ? nlohmann::ordered_json(*run.top1) : nlohmann::ordered_json();
    for (const auto& [student, top1] : run.students)
      list.back()["students"].push_back({{"name", student}, {"top1", top1}});
  }
  if (common.json) print_out("{}\n", json_text(list, 2));
}

}  // namespace retort::host
