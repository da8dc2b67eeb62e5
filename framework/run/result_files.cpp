#include "framework/run/result_files.hpp"

namespace retort::host {

std::vector<ResultFile> list_result_files(const Experiment& experiment, const RunLayout& layout) {
  std::vector<ResultFile> files;
  const bool only = experiment.students.size() == 1;
  for (const NetworkConfig& student : experiment.students)
    files.push_back(
        {student.name, only ? layout.result_weights() : layout.result_weights(student.name)});
  return files;
}

}  // namespace retort::host
