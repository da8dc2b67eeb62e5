#include "framework/report/run_layout.hpp"

#include <cstdio>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

constexpr const char* kWeightsEnding = ".safetensors";

}  // namespace

std::filesystem::path RunLayout::result_weights(const std::string& student) const {
  return folder_ / (student + kWeightsEnding);
}

std::filesystem::path RunLayout::weights_file(const std::string& name) const {
  return checkpoints() / (name + kWeightsEnding);
}

std::filesystem::path RunLayout::event_file(int64_t seconds, int64_t process) const {
  return folder_ / ("events.out.tfevents." + std::to_string(seconds) + "." +
                    std::to_string(process) + ".retort");
}

void RunLayout::check_is_run() const {
  if (is_run()) return;
  throw ConfigError(no_run_text(folder_) + "; name one such as runs/NAME/001");
}

void RunLayout::check_no_links(std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    if (!std::filesystem::is_symlink(std::filesystem::symlink_status(folder_ / name))) continue;
    throw DataError((folder_ / name).string() +
                    ": is a link, which no run makes; a run folder is not read or written through "
                    "one. Put what it leads to in its place");
  }
}

std::string weights_name(const std::string& phase, SavedWeights which, const std::string& part) {
  return phase + (part.empty() ? "" : "+" + part) +
         (which == SavedWeights::Last ? "-last" : "-best");
}

std::string no_run_text(const std::filesystem::path& folder) {
  return folder.string() + " is no run folder: it has no " + RunLayout::kExperiment;
}

std::filesystem::path runs_folder(const std::filesystem::path& out, const std::string& name) {
  return out / name;
}

std::filesystem::path numbered_run(const std::filesystem::path& runs, int number) {
  char name[16];
  std::snprintf(name, sizeof(name), "%03d", number);
  return runs / name;
}

std::filesystem::path teachers_folder(const std::filesystem::path& out) { return out / "teachers"; }

std::filesystem::path kept_teacher(const std::filesystem::path& out, const std::string& key) {
  return teachers_folder(out) / (key + kWeightsEnding);
}

}  // namespace retort::host
