#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "framework/report/comparison.hpp"
#include "framework/run/session.hpp"

namespace retort::host {

/// A warning where the teacher may be guessing (may_be_guessing), with what to check; "" otherwise. Of a
/// sample of the test split it says so.
std::string describe_guessing(const std::string& name, const Evaluation& teacher,
                              const at::Tensor& labels, int64_t test_size);

/// "98 of 1,024 test images (spread over all 10,000) right", or "980 of 10,000 test images right".
std::string right_text(const Accuracy& accuracy, int64_t test_size);

/// `count` of `total` samples, rising, or all where there are fewer: one of each of `count` equal parts,
/// so that a split in the order of its classes has its share of each; not at the same place of each
/// part, so that one whose classes take turns has too.
std::vector<int64_t> spread_samples(int64_t count, int64_t total);

/// The teacher on some samples of the test split.
struct TeacherSample {
  Evaluation evaluation;
  at::Tensor labels;  // [samples] int64
};

/// Evaluates at most 1,024 samples, and down to 128 with a large network, so that it takes seconds on a
/// CPU; in batches no larger than training's, which need no memory beyond it.
TeacherSample sample_teacher(const Session& session, Network& teacher);

/// A warning where a teacher's row has fewer test samples right than a student alone that learns from
/// it; "" otherwise, or where one of the two is missing.
std::string describe_weak_teacher(const std::vector<ComparisonRow>& rows);

}  // namespace retort::host
