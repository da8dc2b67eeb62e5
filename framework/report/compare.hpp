#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace retort::host {

/// Mean and standard deviation (n - 1) over the seeds of one experiment.
struct Spread {
  double mean = 0;
  double std = 0;  // 0 for one value
  size_t count = 0;
};
Spread spread_of(const std::vector<double>& values);

/// The two-sided p of Student's paired t test of the differences; nothing for fewer than three, or
/// where all are equal.
std::optional<double> paired_p(const std::vector<double>& differences);

/// One network of the runs that differ in nothing but their seed.
struct ComparedNetwork {
  std::string experiment;  // its name
  std::string settings;    // the values in which the experiments differ: "train.optimizer.lr = 0.1"
  std::string network;     // "student alone", "student, logits.kd"
  Spread top1;
  std::optional<Spread> top5, versus_alone, versus_teacher, agreement, calibration_error;
  std::optional<double> p_alone;  // of the difference to the student alone
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
