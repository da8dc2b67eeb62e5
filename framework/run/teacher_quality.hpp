#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "framework/report/comparison.hpp"

namespace retort::host {

/// A warning where the teacher may be guessing (may_be_guessing), with what to check; "" otherwise.
std::string describe_guessing(const Evaluation& teacher, const at::Tensor& labels);

/// A warning where the row "teacher" has fewer test samples right than the row "student alone"; ""
/// otherwise, or where one of the two is missing.
std::string describe_weak_teacher(const std::vector<ComparisonRow>& rows);

}  // namespace retort::host
