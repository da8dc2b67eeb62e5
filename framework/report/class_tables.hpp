#pragma once

#include <string>

#include "framework/report/run_record.hpp"

namespace retort::host {

/// A table of each network's accuracy by class; of more than 2,000 classes the first 2,000 that have
/// samples. "" where no network was evaluated.
std::string class_accuracy_table(const RunResults& run);

/// Of each student, its classes against its teacher's: a heat table up to 20 classes, and above
/// that the 20 pairs that differ most often. "" without a teacher.
std::string confusion_tables(const RunResults& run);

}  // namespace retort::host
