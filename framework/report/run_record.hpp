#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace retort::host {

/// What a run folder tells, read back from its files alone.
struct RunRecord {
  std::filesystem::path folder;
  nlohmann::json run;                   // run.json
  std::vector<nlohmann::json> metrics;  // the lines of metrics.jsonl; none before the first epoch
  std::string experiment;               // experiment.toml
  std::string lock;                     // retort.lock

  std::string name() const;  // "fashion_kd/001"
};

/// Throws: DataError where the folder has no run.json, or a file is damaged.
RunRecord read_run(const std::filesystem::path& folder);

/// What run.json says of the run's state, "finished" for one, and of the working directory of its
/// start; empty where there is no such file, or it does not say so.
std::string read_status(const std::filesystem::path& folder);
std::filesystem::path read_start(const std::filesystem::path& folder);

}  // namespace retort::host
