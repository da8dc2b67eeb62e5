#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace retort::host {

/// A table of each network's accuracy by class, from the "evaluation" objects of run.json; "" where
/// there are none.
std::string class_accuracy_table(const nlohmann::json& run);

/// Of each student, its classes against the teacher's: a heat table up to 20 classes, and above
/// that the 20 pairs that differ most often. "" without a teacher.
std::string confusion_tables(const nlohmann::json& run);

}  // namespace retort::host
