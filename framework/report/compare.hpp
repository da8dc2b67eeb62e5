#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/report/spread.hpp"

namespace retort::host {

/// One network of the runs that differ in nothing but their seed.
struct ComparedNetwork {
  std::string experiment;  // its name
  std::string settings;    // the values in which the experiments differ: "train.optimizer.lr = 0.1"
  std::string network;     // "student alone", "student, logits.kd"
  Spread top1;
  // Versus the rows that it names; agreement with its own teacher.
  std::optional<Spread> top5, versus_alone, versus_teacher, agreement, calibration_error;
  std::optional<double> p_alone;  // of the difference to the same network alone
  double train_seconds = 0;       // mean
  // Of the network, the multiply-adds for one image. Nothing where no run tells them (older ones do
  // not), or where they differ: a plugin changed between the runs.
  std::optional<int64_t> parameters, multiply_adds;
};

/// Groups the runs' networks. Copies of a run count once, and are told in a warning.
/// Throws: DataError for a folder that is no run folder, or a file in it that is damaged.
std::vector<ComparedNetwork> compare_runs(const std::vector<std::filesystem::path>& folders);

enum class CompareFormat { Text, Json, Csv };
/// Prints the table on stdout.
void print_comparison(const std::vector<std::filesystem::path>& folders, CompareFormat format);

}  // namespace retort::host
