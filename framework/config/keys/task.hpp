#pragma once

#include <string>

#include "framework/config/section.hpp"

namespace retort::host {

enum class TaskLoss { CrossEntropy };

struct TaskConfig {
  TaskLoss loss = TaskLoss::CrossEntropy;
  double weight = 1;
};

}  // namespace retort::host

namespace retort::host::config {

/// [task]
void read_task(Section section, TaskConfig& task);

std::string write_task(const TaskConfig& task);

}  // namespace retort::host::config
