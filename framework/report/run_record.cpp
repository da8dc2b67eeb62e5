#include "framework/report/run_record.hpp"

#include <algorithm>

#include "framework/base/error.hpp"
#include "framework/io/file_bytes.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/report/run_order.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostBytes = size_t{256} << 20;  // of run.json and metrics.jsonl
constexpr size_t kMostText = size_t{1} << 20;     // of the experiment, as its reader accepts

/// "" for a file that is not there.
std::string text_of(const fs::path& file, size_t most = kMostBytes) {
  std::error_code none;
  if (!fs::exists(fs::symlink_status(file, none))) return "";
  const FileBytes bytes = map_file(file, most, Links::Refuse);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string text_of_results(const RunLayout& layout) {
  if (!fs::exists(fs::symlink_status(layout.results()))) {
    throw DataError(layout.folder().string() + " has no " + RunLayout::kResults +
                    ": it is no run folder, or the run has not ended; name a folder such as "
                    "runs/NAME/001");
  }
  return text_of(layout.results());
}

}  // namespace

std::string RunRecord::name() const {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path own = whole.has_filename() ? whole : whole.parent_path();
  return (own.parent_path().filename() / own.filename()).string();
}

RunResults read_results(const fs::path& folder) {
  const RunLayout layout(folder);
  return parse_results(text_of_results(layout), layout.results().string());
}

std::string read_status(const fs::path& folder) {
  try {
    return read_results(folder).status;
  } catch (const DataError&) {
    return "";
  }
}

fs::path read_start(const fs::path& folder) {
  try {
    return read_results(folder).started_in;
  } catch (const DataError&) {
    return "";
  }
}

RunRecord read_run(const fs::path& folder) {
  const RunLayout layout(folder);
  RunRecord record;
  record.folder = folder;
  const std::string results = text_of_results(layout);
  record.metrics = parse_metrics(text_of(layout.metrics()), layout.metrics().string());
  record.run = parse_results(results, layout.results().string());
  record.experiment = text_of(layout.experiment(), kMostText);
  record.lock = text_of(layout.lock(), kMostText);
  return record;
}

std::vector<fs::path> find_runs(const fs::path& folder) {
  std::error_code none;
  if (fs::exists(fs::symlink_status(RunLayout(folder).results(), none))) return {folder};
  std::vector<fs::path> found;
  constexpr auto kOptions = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(folder, kOptions, none), end; entry != end;
       entry.increment(none)) {
    if (entry->path().filename() == RunLayout::kResults)
      found.push_back(entry->path().parent_path());
  }
  std::sort(found.begin(), found.end(), precedes);
  return found;
}

}  // namespace retort::host
