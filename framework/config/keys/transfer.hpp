#pragma once

#include <string>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/keys/weight_schedule.hpp"
#include "framework/config/name_list.hpp"

namespace retort::host {

struct Experiment;

struct TransferConfig {
  std::string key = "transfer[0]";  // its place in the file
  std::string name;                 // the strategy's id unless given; unique in the experiment
  ComponentChoice strategy;
  WeightSchedule weight;
  std::string student;  // the network that learns from it
  std::vector<std::string>
      teachers;              // whom it learns from, a student too; none where it needs none
  std::string view_student;  // of these networks' views, what is compared
  std::string view_teacher;
  std::vector<std::string> bind_student;
  std::vector<std::string> bind_teacher;
  Place bind_student_place;
  Place bind_teacher_place;
};

}  // namespace retort::host

namespace retort::host::config {

/// The list of [[transfer]] tables of the file; who learns from whom is read by read_sides.
void read_transfers(Section& root, const Catalog& catalog, std::vector<TransferConfig>& transfers);

/// Whether what should be the list of them is none, or some stand below a misspelt key: which ones
/// there are is not known.
bool are_transfers_unread(const Node& root);

/// Their names.
KnownNames know_transfers(const Node& root, const std::vector<TransferConfig>& transfers,
                          const Diagnostics& diagnostics);

/// Whether its strategy is known, and compares nothing with a teacher.
bool needs_no_teacher(const TransferConfig& transfer);

/// Those of the experiment; its networks tell what need not be written.
std::string write_transfers(const Experiment& experiment);

}  // namespace retort::host::config
