#include "framework/report/compare.hpp"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/cli/commands.hpp"
#include "framework/data/atomic_file.hpp"
#include "framework/report/report_page.hpp"
#include "framework/report/run_order.hpp"
#include "framework/report/run_record.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;

/// Whether a program is at work in the folder: it holds the lock of its file `owner`.
bool has_owner(const fs::path& folder) {
  const int file = open((folder / "owner").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool locked = flock(file, LOCK_SH | LOCK_NB) != 0;
  close(file);
  return locked;
}

bool has_state(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints/resume", none)) {
    if (entry.path().extension() == ".json") return true;
  }
  return false;
}

/// "finished", "running", "failed: ..", and where it can be resumed, that.
std::string state_of(const RunRecord& record) {
  const std::string status = record.run.value("status", "");
  if (status == "finished") return status;
  if (has_owner(record.folder)) return "running";
  const std::string was = status == "running" ? "killed" : status;
  return was + (has_state(record.folder) ? ", resumable" : "");
}

}  // namespace

void compare_command(const CompareArguments& arguments, const CommonOptions& common) {
  std::vector<fs::path> folders(arguments.runs.begin(), arguments.runs.end());
  sort_runs(folders);
  print_comparison(folders, common.json     ? CompareFormat::Json
                            : arguments.csv ? CompareFormat::Csv
                                            : CompareFormat::Text);
  if (!arguments.html.empty()) atomic_write(arguments.html, report_page(folders));
}

void list_runs_command(const std::string& folder, const CommonOptions& common) {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(folder, none)) {
    if (entry.path().filename() == "run.json") found.push_back(entry.path().parent_path());
  }
  std::sort(found.begin(), found.end(), precedes);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const fs::path& path : found) {
    const RunRecord record = read_run(path);
    std::optional<double> top1;
    for (const auto& row : record.run.value("results", nlohmann::json::array())) {
      if (row.value("name", "").starts_with("student")) top1 = row.value("top1", 0.0);
    }
    if (common.json) {
      list.push_back({{"folder", path.string()}, {"state", state_of(record)}});
      list.back()["top1"] = top1 ? nlohmann::ordered_json(*top1) : nlohmann::ordered_json();
    } else {
      fmt::print("{:40} {:>6}  seed {:<6} {}\n", path.string(),
                 top1 ? fmt::format("{:.2f}", *top1) : "", record.run.value("seed", uint64_t{0}),
                 state_of(record));
    }
  }
  if (common.json) fmt::print("{}\n", list.dump(2));
}

}  // namespace retort::host
