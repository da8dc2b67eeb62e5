#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/report/run_layout.hpp"

namespace retort::host {

/// The weights of one student at the end of a run.
struct ResultFile {
  std::string student;
  std::filesystem::path file;
};

/// Those of all students: student.safetensors of the only one, else NAME.safetensors of each.
std::vector<ResultFile> list_result_files(const Experiment& experiment, const RunLayout& layout);

}  // namespace retort::host
