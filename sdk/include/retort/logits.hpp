#pragma once

#include "retort/ops.hpp"

// What several strategies do with logits before they compare them.

RETORT_BEGIN_NAMESPACE

/// Each sample's logits with mean 0 and standard deviation 1, so that only their order and relative
/// distances count.
///   (z - mean(z)) / (1e-7 + std(z)) over the classes, std with C - 1
/// Source:  Sun et al. 2024 (logit standardisation), arXiv:2403.01427, eq. 9; 1e-7 as their code.
/// Inputs:  logits [N, C], C >= 2.
inline Tensor standardize(const Tensor& logits) {
  return (logits - mean(logits, {-1}, true)) / (std(logits, {-1}, 1, true) + 1e-7);
}

/// The logit of each sample's own class: logits [N, C], labels [N] -> [N, 1].
inline Tensor target_logit(const Tensor& logits, const Tensor& labels) {
  return gather(logits, 1, unsqueeze(labels, 1));
}

/// The logits of the other classes, in their order: logits [N, C], labels [N] -> [N, C - 1]. They
/// are picked, not masked: no large number stands for "not this class".
inline Tensor other_logits(const Tensor& logits, const Tensor& labels) {
  const Tensor places = unsqueeze(arange(logits.size(1) - 1), 0);       // [1, C - 1]
  return gather(logits, 1, places + (places >= unsqueeze(labels, 1)));  // steps over the label
}

/// For set-up: refuses to compare the logits of networks with different classes.
/// Throws:  ShapeError.
inline void require_same_classes(const Shape& student, const Shape& teacher) {
  if (student == teacher) return;
  throw ShapeError(message("the student's logits are ", student.text(), " and the teacher's ",
                           teacher.text(), "; distil between networks of the same classes"));
}

RETORT_END_NAMESPACE
