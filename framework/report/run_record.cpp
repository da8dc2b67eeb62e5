#include "framework/report/run_record.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "framework/error.hpp"

namespace retort::host {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

nlohmann::json parsed(const std::string& text, const std::string& where) {
  nlohmann::json object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    throw DataError(where + ": \"" + text.substr(0, 40) +
                    "\" is no JSON object; restore the file or run the experiment again");
  }
  return object;
}

/// A text of run.json; empty where it is not there.
std::string text_in_run_json(const std::filesystem::path& folder, const char* key) {
  if (!std::filesystem::is_regular_file(folder / "run.json")) return "";
  const auto run = nlohmann::json::parse(text_of(folder / "run.json"), nullptr, false);
  const auto found = run.find(key);  // of what is no object: the end
  return found != run.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string read_status(const std::filesystem::path& folder) {
  return text_in_run_json(folder, "status");
}

std::filesystem::path read_start(const std::filesystem::path& folder) {
  return text_in_run_json(folder, "started_in");
}

std::string RunRecord::name() const {
  const std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
  const std::filesystem::path own = whole.has_filename() ? whole : whole.parent_path();
  return (own.parent_path().filename() / own.filename()).string();
}

RunRecord read_run(const std::filesystem::path& folder) {
  const std::filesystem::path results = folder / "run.json";
  if (!std::filesystem::exists(results)) {
    throw DataError(folder.string() +
                    " has no run.json: it is no run folder, or the run has not ended; name a "
                    "folder such as runs/NAME/001");
  }
  RunRecord record;
  record.folder = folder;
  record.run = parsed(text_of(results), results.string());
  record.experiment = text_of(folder / "experiment.toml");
  record.lock = text_of(folder / "retort.lock");
  std::string metrics = text_of(folder / "metrics.jsonl");
  // What follows the last line break is still being written, or was when the program was killed.
  metrics.erase(metrics.rfind('\n') + 1);
  std::istringstream lines(std::move(metrics));
  for (std::string line; std::getline(lines, line);) {
    const std::string where =
        (folder / "metrics.jsonl").string() + ":" + std::to_string(record.metrics.size() + 1);
    record.metrics.push_back(parsed(line, where));
  }
  return record;
}

}  // namespace retort::host
