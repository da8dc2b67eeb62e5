#pragma once

#include <string>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/keys/weight_schedule.hpp"

namespace retort::host {

struct TransferConfig {
  std::string name;  // the strategy's id unless given; unique in the experiment
  ComponentChoice strategy;
  WeightSchedule weight;
  std::vector<std::string> bind_student;
  std::vector<std::string> bind_teacher;
  Place bind_student_place;
  Place bind_teacher_place;
};

}  // namespace retort::host

namespace retort::host::config {

/// The list of [[transfer]] tables of the file.
void read_transfers(Section& root, const Catalog& catalog, std::vector<TransferConfig>& transfers);

/// One of them.
std::string write_transfer(const TransferConfig& transfer);

}  // namespace retort::host::config
